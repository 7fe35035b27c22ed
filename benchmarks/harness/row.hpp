/* row.hpp - what a row is: the same work done by us, by the limit, and by each peer.
 *
 *     #include "harness/row.hpp"
 *     #include "harness/timing.hpp"
 *     #include "peers/locks.hpp"
 *
 *     static bench::row lock("lock", "lock + unlock", "ns", every_lock(), []<class Lock>(bench::effort effort) {
 *         static Lock lock;
 *         return bench::sample{bench::each(effort, [] { lock.acquire(); lock.release(); })};
 *     });
 *
 * A row makes itself known by being defined; main.cpp runs it. Each call of the lambda is one sample. It has a process
 * of its own, made for it: nothing that one peer does is seen by another, and it may crash or hang. */

#ifndef HARNESS_ROW_HPP
#define HARNESS_ROW_HPP

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace bench {

/* How long a sample should take, about. */
struct effort {
    double seconds;
    bool quick;
};

/* What one measurement gives: the row's number first, then its further figures. */
using sample = std::vector<double>;

enum class kind {
    ours,
    limit, /* the same work with bare atomics or a bare futex */
    peer,
    other /* shown, but nobody has to beat it: it does not do the same (it only spins, say) */
};

/* What the adapters in peers/ inherit: their name and what they are. */
template <std::size_t N> struct text {
    char chars[N];
    constexpr text(const char (&literal)[N])
    {
        std::copy_n(literal, N, chars);
    }
};
template <kind Kind, text Name> struct named {
    static constexpr kind what = Kind;
    static constexpr auto label = Name;
    static constexpr const char *name = Name.chars;
};
template <text Name> using limit = named<kind::limit, Name>;
template <text Name> using peer = named<kind::peer, Name>;
template <text Name> using other = named<kind::other, Name>;
using ours = named<kind::ours, "threading">;

/* The same name for what is made of T. */
template <class T> using like = named<T::what, T::label>;

/* Types as a value; + puts lists together, wrapped<W>(list) has W<T> for each T. */
template <class... T> struct list {
};
template <class... A, class... B> constexpr list<A..., B...> operator+(list<A...>, list<B...>)
{
    return {};
}
template <template <class> class Wrap, class... T> constexpr list<Wrap<T>...> wrapped(list<T...>)
{
    return {};
}

struct variant {
    std::string name;
    kind what;
    std::function<sample(effort)> measure;
};

struct row {
    std::string name;
    std::string title;
    std::string unit;                 /* of the first number; more is better if it ends in "/s" */
    std::vector<std::string> figures; /* the further ones, "name, unit" */
    std::vector<variant> variants;
    bool once; /* one sample is enough */

    template <class... T, class Measure>
    row(std::string row_name, std::string row_title, std::string row_unit, list<T...>, Measure measure,
        std::vector<std::string> row_figures = {}, bool row_once = false)
        : name(std::move(row_name)), title(std::move(row_title)), unit(std::move(row_unit)),
          figures(std::move(row_figures)), variants{{T::name, T::what,
                                                     [measure](effort e) {
                                                         return measure.template operator()<T>(e);
                                                     }}...},
          once(row_once)
    {
        every().push_back(this);
    }
    row(const row &) = delete;
    row &operator=(const row &) = delete;

    /* All rows of this program. */
    static std::vector<row *> &every();
};

} // namespace bench

#endif
