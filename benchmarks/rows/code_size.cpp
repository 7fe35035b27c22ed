/* Bytes of code that a call leaves in a program: a function that does nothing else, less one that does nothing. */

#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include "peers/bare.hpp"
#include "peers/ours.hpp"
#include "peers/posix.hpp"

using namespace peers;

/* Exported, so that the dynamic linker knows their sizes. */
#define MEASURED extern "C" __attribute__((visibility("default"), noinline, used))

static double size_of(void (*function)(void *))
{
    Dl_info info;
    void *symbol = nullptr;
    if (!dladdr1(reinterpret_cast<void *>(function), &info, &symbol, RTLD_DL_SYMENT) || !symbol)
        std::abort();
    return double(static_cast<const ElfW(Sym) *>(symbol)->st_size);
}

MEASURED void size_empty(void *)
{
}

/* SIZE(NAME, CALL): a function with that call, on `it`. */
#define SIZE(name, type, call)                                                                                         \
    MEASURED void size_##name(type *it)                                                                                \
    {                                                                                                                  \
        call;                                                                                                          \
    }                                                                                                                  \
    static double name()                                                                                               \
    {                                                                                                                  \
        return size_of(reinterpret_cast<void (*)(void *)>(size_##name)) - size_of(size_empty);                         \
    }

SIZE(our_acquire, ours::lock, it->acquire())
SIZE(bare_acquire, std::atomic<uint32_t>, uint32_t none = 0;
     (void)it->compare_exchange_strong(none, 1, std::memory_order_acquire))
SIZE(posix_acquire, posix::mutex, it->acquire())
SIZE(our_release, ours::lock, it->release())
SIZE(bare_release, bare::lock, it->release())
SIZE(posix_release, posix::mutex, it->release())
SIZE(our_rlock_acquire, ours::rlock, it->acquire())
SIZE(bare_rlock_acquire, bare::rlock, it->acquire())
SIZE(our_rlock_release, ours::rlock, it->release())
SIZE(bare_rlock_release, bare::rlock, it->release())
SIZE(our_semaphore_acquire, ours::semaphore, it->acquire())
SIZE(bare_semaphore_acquire, bare::semaphore, it->acquire())
SIZE(posix_semaphore_acquire, sem_t, sem_wait(it))
SIZE(our_semaphore_release, ours::semaphore, it->release())
SIZE(bare_semaphore_release, bare::semaphore, it->release())
SIZE(posix_semaphore_release, sem_t, sem_post(it))
SIZE(our_event_wait, ours::event, it->wait())
SIZE(bare_event_wait, bare::event, it->wait())
SIZE(our_self, void *, *it = ours::self::get())
SIZE(bare_self, void *, *it = bare::self::get())

template <class Name, double (*Size)()> struct code : Name {
    static double size()
    {
        return Size();
    }
};
template <double (*Size)()> using mine = code<bench::ours, Size>;
template <double (*Size)()> using bare_code = code<bench::limit<"bare">, Size>;
template <double (*Size)()> using call = code<bench::other<"pthread (a call)">, Size>;

static auto size = []<class Code>(bench::effort) {
    return bench::sample{Code::size()};
};

template <class... Codes> struct sized : bench::row {
    sized(const char *what, const char *of_what)
        : row(std::string("size-") + what, std::string("code of ") + of_what, "bytes", bench::list<Codes...>(), size,
              {}, true)
    {
    }
};

static sized<mine<our_acquire>, bare_code<bare_acquire>, call<posix_acquire>> acquire("acquire", "lock acquire");
static sized<mine<our_release>, bare_code<bare_release>, call<posix_release>> release("release", "lock release");
static sized<mine<our_rlock_acquire>, bare_code<bare_rlock_acquire>> rlock_acquire("rlock-acquire", "rlock acquire");
static sized<mine<our_rlock_release>, bare_code<bare_rlock_release>> rlock_release("rlock-release", "rlock release");
static sized<mine<our_semaphore_acquire>, bare_code<bare_semaphore_acquire>, call<posix_semaphore_acquire>>
    semaphore_acquire("semaphore-acquire", "semaphore acquire");
static sized<mine<our_semaphore_release>, bare_code<bare_semaphore_release>, call<posix_semaphore_release>>
    semaphore_release("semaphore-release", "semaphore release");
static sized<mine<our_event_wait>, bare_code<bare_event_wait>> event_wait("event-wait", "event wait");
static sized<mine<our_self>, bare_code<bare_self>> self("current-thread", "current thread");
