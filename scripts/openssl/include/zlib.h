/* What OpenSSL calls of zlib 1.x, with zlib's own names and layout. */
#ifndef C4TLS_ZLIB_H
#define C4TLS_ZLIB_H

#define ZLIB_VERSION "1.2.0"    /* the library compares the first digit */

#define Z_NULL 0
#define Z_NO_FLUSH 0
#define Z_SYNC_FLUSH 2
#define Z_FINISH 4
#define Z_OK 0
#define Z_STREAM_END 1
#define Z_ERRNO (-1)
#define Z_BUF_ERROR (-5)
#define Z_DEFAULT_COMPRESSION (-1)

typedef unsigned char Byte;
typedef Byte Bytef;
typedef unsigned int uInt;
typedef unsigned long uLong;
typedef uLong uLongf;
typedef void *voidpf;

typedef voidpf (*alloc_func)(voidpf opaque, uInt items, uInt size);
typedef void (*free_func)(voidpf opaque, voidpf address);

struct internal_state;

typedef struct z_stream_s {
    const Bytef *next_in;
    uInt avail_in;
    uLong total_in;
    Bytef *next_out;
    uInt avail_out;
    uLong total_out;
    const char *msg;
    struct internal_state *state;
    alloc_func zalloc;
    free_func zfree;
    voidpf opaque;
    int data_type;
    uLong adler;
    uLong reserved;
} z_stream;
typedef z_stream *z_streamp;

int compress(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len);
int uncompress(Bytef *dest, uLongf *dest_len, const Bytef *source, uLong source_len);
int deflateInit_(z_streamp stream, int level, const char *version, int stream_size);
int deflate(z_streamp stream, int flush);
int deflateEnd(z_streamp stream);
int inflateInit_(z_streamp stream, const char *version, int stream_size);
int inflate(z_streamp stream, int flush);
int inflateEnd(z_streamp stream);
const char *zError(int code);

#define deflateInit(stream, level) deflateInit_((stream), (level), ZLIB_VERSION, (int)sizeof(z_stream))
#define inflateInit(stream) inflateInit_((stream), ZLIB_VERSION, (int)sizeof(z_stream))

#endif
