#ifndef C4TLS_BROTLI_DECODE_H
#define C4TLS_BROTLI_DECODE_H

#include <brotli/types.h>

typedef enum {
    BROTLI_DECODER_RESULT_ERROR = 0,
    BROTLI_DECODER_RESULT_SUCCESS = 1,
    BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT = 2,
    BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT = 3
} BrotliDecoderResult;
/* Only handed on, to BrotliDecoderErrorString. */
typedef int BrotliDecoderErrorCode;
typedef struct BrotliDecoderStateStruct BrotliDecoderState;

BrotliDecoderState *BrotliDecoderCreateInstance(brotli_alloc_func alloc, brotli_free_func free, void *opaque);
void BrotliDecoderDestroyInstance(BrotliDecoderState *state);
BROTLI_BOOL BrotliDecoderHasMoreOutput(const BrotliDecoderState *state);
BROTLI_BOOL BrotliDecoderIsFinished(const BrotliDecoderState *state);
BrotliDecoderErrorCode BrotliDecoderGetErrorCode(const BrotliDecoderState *state);
const char *BrotliDecoderErrorString(BrotliDecoderErrorCode code);
BrotliDecoderResult BrotliDecoderDecompress(size_t encoded_size, const uint8_t *encoded, size_t *decoded_size,
    uint8_t *decoded);
BrotliDecoderResult BrotliDecoderDecompressStream(BrotliDecoderState *state, size_t *available_in,
    const uint8_t **next_in, size_t *available_out, uint8_t **next_out, size_t *total_out);

#endif
