/* check_graph.c - see check_graph.h.
 *
 * Nodes are found by address, edges by their two ends, each in a hash table that grows. A coarse filter, a count for the
 * 64 bytes around each lock, tells of nearly all memory that there is no lock in it. */

#include "lab/check_graph.h"

#include <stdlib.h>

enum { LINE = 64, WORD = 4, LINES = 1 << 15, LARGE = 1 << 20 };

static struct node **nodes;
static size_t nodes_room, nodes_count;
static struct edge **edges;
static size_t edges_room, edges_count;
static struct node *on_stacks;
static uint32_t lines[LINES];
static uint64_t forgotten;
static uint64_t last_id;
static uint64_t searches;

static uint64_t mix(uint64_t value)
{
    value *= 0x9e3779b97f4a7c15u;
    return value ^ value >> 29;
}

static size_t edge_hash(const struct node *from, const struct node *to)
{
    return mix(mix(from->id) + to->id);
}

static uint32_t *line_of(uintptr_t address)
{
    return &lines[mix(address / LINE) % LINES];
}

/* -- Tables ------------------------------------------------------------------------------------------------------- */

static bool nodes_grow(void)
{
    size_t room = nodes_room ? nodes_room * 2 : 1024;
    struct node **larger = calloc(room, sizeof(struct node *));
    if (!larger)
        return nodes_room > 0;
    for (size_t i = 0; i < nodes_room; i++) {
        for (struct node *node = nodes[i], *next; node; node = next) {
            struct node **at = &larger[mix((uintptr_t)node->lock) % room];
            next = node->chain;
            node->chain = *at;
            *at = node;
        }
    }
    free(nodes);
    nodes = larger;
    nodes_room = room;
    return true;
}

static bool edges_grow(void)
{
    size_t room = edges_room ? edges_room * 2 : 1024;
    struct edge **larger = calloc(room, sizeof(struct edge *));
    if (!larger)
        return edges_room > 0;
    for (size_t i = 0; i < edges_room; i++) {
        for (struct edge *edge = edges[i], *next; edge; edge = next) {
            struct edge **at = &larger[edge_hash(edge->from, edge->to) % room];
            next = edge->chain;
            edge->chain = *at;
            *at = edge;
        }
    }
    free(edges);
    edges = larger;
    edges_room = room;
    return true;
}

struct node *graph_node(const void *lock)
{
    struct node *node = nodes_room > 0 ? nodes[mix((uintptr_t)lock) % nodes_room] : NULL;
    while (node && node->lock != lock)
        node = node->chain;
    return node;
}

struct node *graph_node_make(const void *lock, bool on_stack)
{
    if (nodes_count >= nodes_room && !nodes_grow())
        return NULL;
    struct node *node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    struct node **at = &nodes[mix((uintptr_t)lock) % nodes_room];
    node->lock = lock;
    node->id = ++last_id;
    node->chain = *at;
    *at = node;
    nodes_count++;
    node->on_stack = on_stack;
    if (on_stack) {
        node->next_on_stack = on_stacks;
        on_stacks = node;
    }
    (void)add_relaxed(line_of((uintptr_t)lock), 1);
    return node;
}

struct edge *graph_edge(const struct node *from, const struct node *to)
{
    struct edge *edge = edges_room > 0 ? edges[edge_hash(from, to) % edges_room] : NULL;
    while (edge && (edge->from != from || edge->to != to))
        edge = edge->chain;
    return edge;
}

struct edge *graph_edge_make(struct node *from, struct node *to)
{
    if (edges_count >= edges_room && !edges_grow())
        return NULL;
    struct edge *edge = calloc(1, sizeof *edge);
    if (!edge)
        return NULL;
    struct edge **at = &edges[edge_hash(from, to) % edges_room];
    edge->from = from;
    edge->to = to;
    edge->chain = *at;
    *at = edge;
    edges_count++;
    edge->next_out = from->out;
    from->out = edge;
    edge->next_in = to->in;
    to->in = edge;
    return edge;
}

/* -- Cycles ------------------------------------------------------------------------------------------------------- */

static bool share_guard(const struct edge *one, const struct edge *other)
{
    for (uint32_t i = 0; i < one->guards; i++) {
        for (uint32_t k = 0; k < other->guards; k++) {
            if (one->guard[i] == other->guard[k])
                return true;
        }
    }
    return false;
}

/* Breadth first, so that the first way is the shortest. */
static bool find_way(struct edge *edge)
{
    struct node *found = edge->to;
    struct node *last = found;
    found->search = ++searches;
    found->via = NULL;
    found->next_found = NULL;
    for (; found; found = found->next_found) {
        if (found == edge->from)
            return true;
        for (struct edge *out = found->out; out; out = out->next_out) {
            if (out->to->search == searches || share_guard(out, edge))
                continue;
            out->to->search = searches;
            out->to->via = out;
            out->to->next_found = NULL;
            last->next_found = out->to;
            last = out->to;
        }
    }
    return false;
}

size_t graph_cycle(struct edge *edge, struct edge **cycle, size_t limit)
{
    if (!find_way(edge))
        return 0;
    size_t n = 1;
    for (struct edge *via = edge->from->via; via; via = via->from->via)
        n++;
    if (n > limit)
        return 0;
    cycle[0] = edge;
    size_t at = n;
    for (struct edge *via = edge->from->via; via; via = via->from->via)
        cycle[--at] = via;
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 1; k < i; k++) {
            if (share_guard(cycle[i], cycle[k]))
                return 0;
        }
    }
    return n;
}

/* -- Forgetting --------------------------------------------------------------------------------------------------- */

static void edge_drop(struct edge *edge)
{
    struct edge **at = &edges[edge_hash(edge->from, edge->to) % edges_room];
    while (*at != edge)
        at = &(*at)->chain;
    *at = edge->chain;
    for (at = &edge->from->out; *at != edge;)
        at = &(*at)->next_out;
    *at = edge->next_out;
    for (at = &edge->to->in; *at != edge;)
        at = &(*at)->next_in;
    *at = edge->next_in;
    edges_count--;
    free(edge);
}

static void node_drop(struct node *node)
{
    for (struct edge *edge = node->out, *next; edge; edge = next) {
        next = edge->next_out;
        edge_drop(edge);
    }
    for (struct edge *edge = node->in, *next; edge; edge = next) {
        /* No edge leads from a node to itself, so none of these was among the others.
         * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        next = edge->next_in;
        edge_drop(edge);
    }
    struct node **at = &nodes[mix((uintptr_t)node->lock) % nodes_room];
    while (*at != node)
        at = &(*at)->chain;
    *at = node->chain;
    if (node->on_stack) {
        /* A node is taken out of the list before it is freed. NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
        for (at = &on_stacks; *at != node;)
            at = &(*at)->next_on_stack;
        *at = node->next_on_stack;
    }
    nodes_count--;
    (void)sub_relaxed(line_of((uintptr_t)node->lock), 1);
    store_relaxed(&forgotten, forgotten + 1);
    free(node);
}

uint64_t graph_forgotten(void)
{
    return load_relaxed(&forgotten);
}

bool graph_maybe(uintptr_t start, uintptr_t end)
{
    if (end - start > LARGE)
        return true;
    for (uintptr_t line = start / LINE; line <= (end - 1) / LINE; line++) {
        if (load_relaxed(line_of(line * LINE)) != 0)
            return true;
    }
    return false;
}

static void forget_large(uintptr_t start, uintptr_t end)
{
    for (size_t i = 0; i < nodes_room; i++) {
        for (struct node *node = nodes[i], *next; node; node = next) {
            next = node->chain;
            if ((uintptr_t)node->lock >= start && (uintptr_t)node->lock < end)
                node_drop(node);
        }
    }
}

void graph_forget(uintptr_t start, uintptr_t end)
{
    if (end - start > LARGE) {
        forget_large(start, end);
        return;
    }
    for (uintptr_t at = (start + WORD - 1) / WORD * WORD; at < end; at += WORD) {
        if (load_relaxed(line_of(at)) == 0) {
            at = at / LINE * LINE + LINE - WORD;
            continue;
        }
        struct node *node = graph_node((const void *)at);
        if (node)
            node_drop(node);
    }
}

uintptr_t graph_forget_stack(uintptr_t start, uintptr_t end, uintptr_t top)
{
    uintptr_t lowest = UINTPTR_MAX;
    for (struct node *node = on_stacks, *next; node; node = next) {
        uintptr_t at = (uintptr_t)node->lock;
        next = node->next_on_stack;
        if (at >= start && at < end)
            node_drop(node);
        else if (at >= end && at < top && at < lowest)
            lowest = at;
    }
    return lowest;
}
