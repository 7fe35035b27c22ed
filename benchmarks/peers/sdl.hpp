/* sdl.hpp - SDL 2. Its mutexes are recursive. */

#ifndef PEERS_SDL_HPP
#define PEERS_SDL_HPP

#include <cstdlib>

#include <SDL_mutex.h>
#include <SDL_thread.h>

#include "harness/row.hpp"
#include "peers/flag_event.hpp"

namespace peers::sdl {

using name = bench::peer<"SDL">;

struct lock : name {
    SDL_mutex *inner = SDL_CreateMutex();
    void acquire()
    {
        SDL_LockMutex(inner);
    }
    void release()
    {
        SDL_UnlockMutex(inner);
    }
};

using rlock = lock;

struct semaphore : name {
    SDL_sem *inner = SDL_CreateSemaphore(0);
    void acquire()
    {
        SDL_SemWait(inner);
    }
    void release(unsigned n = 1)
    {
        while (n-- > 0)
            SDL_SemPost(inner);
    }
};

struct monitor : lock {
    SDL_cond *changed = SDL_CreateCond();
    void wait()
    {
        SDL_CondWait(changed, inner);
    }
    void notify()
    {
        SDL_CondSignal(changed);
    }
    void notify_all()
    {
        SDL_CondBroadcast(changed);
    }
};

using event = flag_event<monitor>;

struct thread : name {
    SDL_Thread *handle = nullptr;
    void *(*function)(void *) = nullptr;
    static int run(void *self)
    {
        static_cast<thread *>(self)->function(nullptr);
        return 0;
    }
    void start(void *(*f)(void *))
    {
        function = f;
        handle = SDL_CreateThread(run, "worker", this);
        if (!handle)
            std::abort();
    }
    void join()
    {
        SDL_WaitThread(handle, nullptr);
    }
};

struct key : name {
    SDL_TLSID inner = SDL_TLSCreate();
    void *get()
    {
        return SDL_TLSGet(inner);
    }
    void set(void *value)
    {
        SDL_TLSSet(inner, value, nullptr);
    }
};

struct self : name {
    static SDL_threadID get()
    {
        return SDL_ThreadID();
    }
};

} // namespace peers::sdl

#endif
