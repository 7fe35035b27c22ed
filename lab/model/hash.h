/* hash.h - a mixing function for 64 bits. */

#ifndef MODEL_HASH_H
#define MODEL_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_product;

static inline uint64_t hash_mix(uint64_t hash, uint64_t value)
{
    hash_product product = (hash_product)(hash ^ value ^ 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ (value << 32 | value >> 32);
}

/* `size` is a multiple of 8. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (; size >= 8; size -= 8, at += 8) {
        uint64_t value;
        memcpy(&value, at, 8);
        hash = hash_mix(hash, value);
    }
    return hash;
}

#endif
