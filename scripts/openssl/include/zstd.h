/* What OpenSSL calls of zstd 1.x (1.4 or later), with zstd's own names and layout. */
#ifndef ZSTD_H_235446    /* the guard that OpenSSL looks for */
#define ZSTD_H_235446

#include <stddef.h>

#define ZSTD_VERSION_MAJOR 1
#define ZSTD_VERSION_MINOR 5
#define ZSTD_CLEVEL_DEFAULT 3

typedef struct ZSTD_CCtx_s ZSTD_CCtx;
typedef struct ZSTD_DCtx_s ZSTD_DCtx;
typedef ZSTD_CCtx ZSTD_CStream;
typedef ZSTD_DCtx ZSTD_DStream;

typedef struct {
    const void *src;
    size_t size;
    size_t pos;
} ZSTD_inBuffer;
typedef struct {
    void *dst;
    size_t size;
    size_t pos;
} ZSTD_outBuffer;
typedef enum { ZSTD_e_continue = 0, ZSTD_e_flush = 1, ZSTD_e_end = 2 } ZSTD_EndDirective;
typedef struct {
    void *(*customAlloc)(void *opaque, size_t size);
    void (*customFree)(void *opaque, void *address);
    void *opaque;
} ZSTD_customMem;

unsigned ZSTD_isError(size_t result);
const char *ZSTD_getErrorName(size_t result);
size_t ZSTD_compress(void *dst, size_t dst_capacity, const void *src, size_t src_size, int level);
size_t ZSTD_decompress(void *dst, size_t dst_capacity, const void *src, size_t src_size);
ZSTD_CStream *ZSTD_createCStream_advanced(ZSTD_customMem mem);
size_t ZSTD_initCStream(ZSTD_CStream *stream, int level);
size_t ZSTD_freeCStream(ZSTD_CStream *stream);
size_t ZSTD_CStreamInSize(void);
size_t ZSTD_compressStream2(ZSTD_CCtx *context, ZSTD_outBuffer *output, ZSTD_inBuffer *input, ZSTD_EndDirective end);
size_t ZSTD_flushStream(ZSTD_CStream *stream, ZSTD_outBuffer *output);
size_t ZSTD_endStream(ZSTD_CStream *stream, ZSTD_outBuffer *output);
ZSTD_DStream *ZSTD_createDStream_advanced(ZSTD_customMem mem);
size_t ZSTD_initDStream(ZSTD_DStream *stream);
size_t ZSTD_freeDStream(ZSTD_DStream *stream);
size_t ZSTD_DStreamInSize(void);
size_t ZSTD_decompressStream(ZSTD_DStream *stream, ZSTD_outBuffer *output, ZSTD_inBuffer *input);

#endif
