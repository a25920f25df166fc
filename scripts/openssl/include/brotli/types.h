/* What OpenSSL uses of brotli 1.x, with brotli's own names and values. */
#ifndef C4TLS_BROTLI_TYPES_H
#define C4TLS_BROTLI_TYPES_H

#include <stddef.h>
#include <stdint.h>

#define BROTLI_BOOL int
#define BROTLI_TRUE 1
#define BROTLI_FALSE 0

typedef void *(*brotli_alloc_func)(void *opaque, size_t size);
typedef void (*brotli_free_func)(void *opaque, void *address);

#endif
