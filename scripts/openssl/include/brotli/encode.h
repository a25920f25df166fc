#ifndef C4TLS_BROTLI_ENCODE_H
#define C4TLS_BROTLI_ENCODE_H

#include <brotli/types.h>

#define BROTLI_DEFAULT_QUALITY 11
#define BROTLI_DEFAULT_WINDOW 22
#define BROTLI_DEFAULT_MODE BROTLI_MODE_GENERIC

typedef enum { BROTLI_MODE_GENERIC = 0, BROTLI_MODE_TEXT = 1, BROTLI_MODE_FONT = 2 } BrotliEncoderMode;
typedef enum {
    BROTLI_OPERATION_PROCESS = 0,
    BROTLI_OPERATION_FLUSH = 1,
    BROTLI_OPERATION_FINISH = 2,
    BROTLI_OPERATION_EMIT_METADATA = 3
} BrotliEncoderOperation;
typedef struct BrotliEncoderStateStruct BrotliEncoderState;

BrotliEncoderState *BrotliEncoderCreateInstance(brotli_alloc_func alloc, brotli_free_func free, void *opaque);
void BrotliEncoderDestroyInstance(BrotliEncoderState *state);
BROTLI_BOOL BrotliEncoderHasMoreOutput(BrotliEncoderState *state);
BROTLI_BOOL BrotliEncoderCompress(int quality, int lgwin, BrotliEncoderMode mode, size_t input_size,
    const uint8_t *input, size_t *encoded_size, uint8_t *encoded);
BROTLI_BOOL BrotliEncoderCompressStream(BrotliEncoderState *state, BrotliEncoderOperation op, size_t *available_in,
    const uint8_t **next_in, size_t *available_out, uint8_t **next_out, size_t *total_out);

#endif
