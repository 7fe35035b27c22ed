/* processors.cpp - see processors.hpp. */

#include "harness/processors.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <sched.h>

namespace bench {

/* Processors with the same number share a core; -1 where the system does not say. */
static int core_of(unsigned processor)
{
    std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(processor) + "/topology/";
    int core = -1, package = 0;
    std::ifstream(topology + "core_id") >> core;
    std::ifstream(topology + "physical_package_id") >> package;
    return core < 0 ? -1 : package * 65536 + core;
}

/* The first that we may use, and the next one on another core of its kind. */
static std::vector<unsigned> choose()
{
    cpu_set_t allowed;
    std::vector<unsigned> all;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        for (unsigned i = 0; i < CPU_SETSIZE; i++)
            if (CPU_ISSET(i, &allowed))
                all.push_back(i);
    if (all.size() < 2) {
        std::fprintf(stderr, "two processors are needed\n");
        std::exit(1);
    }
    for (unsigned second : all)
        if (second != all[0] && core_of(second) != core_of(all[0]))
            return {all[0], second};
    return {all[0], all[1]};
}

static const std::vector<unsigned> &both()
{
    static const std::vector<unsigned> chosen = choose();
    return chosen;
}

void use_both_processors()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned processor : both())
        CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

void keep_on(pthread_t thread, unsigned which)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(both()[which], &set);
    pthread_setaffinity_np(thread, sizeof set, &set);
}

void stay_on(unsigned which)
{
    keep_on(pthread_self(), which);
}

} // namespace bench
