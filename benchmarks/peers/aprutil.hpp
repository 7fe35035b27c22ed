/* aprutil.hpp - the queue of the Apache Portable Runtime, which is in its second library. */

#ifndef PEERS_APRUTIL_HPP
#define PEERS_APRUTIL_HPP

#include <apr_queue.h>

#include "peers/apr.hpp"

namespace peers::apr {

struct queue : name {
    apr_queue_t *inner;
    explicit queue(std::size_t n)
    {
        if (apr_queue_create(&inner, unsigned(n), pool()) != APR_SUCCESS)
            std::abort();
    }
    void put(void *item)
    {
        while (apr_queue_push(inner, item) == APR_EINTR) /* a stray wake */
            ;
    }
    void *get()
    {
        void *item;
        while (apr_queue_pop(inner, &item) == APR_EINTR)
            ;
        return item;
    }
};

} // namespace peers::apr

#endif
