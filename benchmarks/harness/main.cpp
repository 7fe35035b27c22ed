/* main.cpp - runs the rows of one program.
 *
 *     PROGRAM                                 prints "NAME<tab>TITLE" for each row
 *     PROGRAM NAME SAMPLES SECONDS [WHO]      measures that row, and prints it as JSON
 *
 * The variants take turns, a sample each, beginning with another one each time. WHO: quick leaves out those that nobody
 * has to beat, and hurries; ours leaves out all but us; limit, all but us and the limit. */

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "harness/busy.hpp"
#include "harness/processors.hpp"
#include "harness/row.hpp"

namespace bench {

/* Seconds after which a sample is given up, and how many that come to nothing are borne before a variant is. */
constexpr unsigned HANGS = 120, HANGS_QUICK = 20, FAILURES = 2;

std::vector<row *> &row::every()
{
    static std::vector<row *> rows;
    return rows;
}

struct outcome {
    std::vector<sample> samples;
    unsigned failures = 0;
    std::string failure; /* the last one */
};

[[noreturn]] static void measure_here(const variant &variant, effort effort, int out)
{
    alarm(effort.quick ? HANGS_QUICK : HANGS);
    use_both_processors();
    std::thread([] {
        pause();
    }).detach(); /* where there is only one thread, some locks are not taken at all */
    sample numbers = variant.measure(effort);
    std::size_t size = numbers.size() * sizeof(double);
    _exit(write(out, numbers.data(), size) == static_cast<ssize_t>(size) ? 0 : 1);
}

static std::string ending(int status)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGALRM ? "hung" : strsignal(WTERMSIG(status));
    return "ended with status " + std::to_string(WEXITSTATUS(status));
}

/* One sample, in a process made for it. */
static void measure(const variant &variant, effort effort, outcome &outcome)
{
    int ends[2];
    if (pipe(ends) != 0)
        std::abort();
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        measure_here(variant, effort, ends[1]);
    }
    close(ends[1]);
    double numbers[16];
    ssize_t size = read(ends[0], numbers, sizeof numbers);
    close(ends[0]);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    sample sample(numbers, numbers + std::max<ssize_t>(size, 0) / ssize_t(sizeof(double)));
    if (status == 0 && !sample.empty() && std::all_of(sample.begin(), sample.end(), [](double x) {
            return std::isfinite(x);
        })) {
        outcome.samples.push_back(sample);
    } else {
        outcome.failures++;
        outcome.failure = status == 0 ? "measured nothing" : ending(status);
    }
}

static const char *spelled(kind what)
{
    const char *const names[] = {"ours", "limit", "peer", "other"};
    return names[static_cast<int>(what)];
}

static void print(const row &row, const std::vector<outcome> &outcomes)
{
    std::printf("{\"row\": \"%s\", \"title\": \"%s\", \"unit\": \"%s\", \"figures\": [", row.name.c_str(),
                row.title.c_str(), row.unit.c_str());
    for (std::size_t i = 0; i < row.figures.size(); i++)
        std::printf("%s\"%s\"", i ? ", " : "", row.figures[i].c_str());
    std::printf("], \"variants\": [");
    const char *comma = "";
    for (std::size_t i = 0; i < outcomes.size(); i++) {
        const variant &variant = row.variants[i];
        if (outcomes[i].samples.empty() && outcomes[i].failure.empty())
            continue;
        std::printf("%s\n  {\"name\": \"%s\", \"kind\": \"%s\", \"failures\": %u, \"failure\": \"%s\", \"samples\": [",
                    comma, variant.name.c_str(), spelled(variant.what), outcomes[i].failures,
                    outcomes[i].failure.c_str());
        comma = ",";
        const char *before = "";
        for (const sample &sample : outcomes[i].samples) {
            std::printf("%s[", before);
            for (std::size_t k = 0; k < sample.size(); k++)
                std::printf("%s%.6g", k ? ", " : "", sample[k]);
            std::printf("]");
            before = ", ";
        }
        std::printf("]}");
    }
    std::printf("]}\n");
}

static bool takes_part(kind what, const std::string &who)
{
    if (who == "ours" || who == "limit")
        return what == kind::ours || (who == "limit" && what == kind::limit);
    return what != kind::other || who != "quick";
}

static void run(const row &row, unsigned samples, effort effort, const std::string &who)
{
    calibrate_busy();
    std::size_t n = row.variants.size();
    std::vector<outcome> outcomes(n);
    for (unsigned round = 0; round < (row.once ? 1 : samples); round++) {
        for (std::size_t i = 0; i < n; i++) {
            std::size_t turn = (i + round) % n;
            if (outcomes[turn].failures < FAILURES && takes_part(row.variants[turn].what, who))
                measure(row.variants[turn], effort, outcomes[turn]);
        }
    }
    print(row, outcomes);
}

} // namespace bench

int main(int argc, char **argv)
{
    if (argc < 4) {
        for (const bench::row *row : bench::row::every())
            std::printf("%s\t%s\n", row->name.c_str(), row->title.c_str());
        return 0;
    }
    std::string who = argc > 4 ? argv[4] : "";
    bench::effort effort = {std::atof(argv[3]), who == "quick"};
    for (const bench::row *row : bench::row::every()) {
        if (row->name == argv[1]) {
            bench::run(*row, static_cast<unsigned>(std::atoi(argv[2])), effort, who);
            return 0;
        }
    }
    std::fprintf(stderr, "%s: no row %s here\n", argv[0], argv[1]);
    return 1;
}
