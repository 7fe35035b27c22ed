/* heap.c - a pairing heap; see heap.h.
 *
 * I1  No node's deadline is before its parent's.
 * I2  node->prev->child == node for a first child, node->prev->next == node for the others; the root has no prev and
 *     no next. */

#include "thread/heap.h"

/* The later of two roots becomes the first child of the other (I1). */
static struct timer_node *join(struct timer_node *a, struct timer_node *b)
{
    struct timer_node *first = b->deadline < a->deadline ? b : a;
    struct timer_node *later = first == a ? b : a;
    later->next = first->child;
    later->prev = first;
    if (first->child)
        first->child->prev = later;
    first->child = later;
    return first;
}

/* Makes one heap of the siblings from `node` on: pairs from the left, then all pairs from the right. The pairs wait in
 * a list by `prev`. */
static struct timer_node *join_all(struct timer_node *node)
{
    struct timer_node *pairs = NULL;
    while (node) {
        struct timer_node *other = node->next;
        struct timer_node *rest = other ? other->next : NULL;
        struct timer_node *pair = other ? join(node, other) : node;
        pair->prev = pairs;
        pairs = pair;
        node = rest;
    }
    struct timer_node *root = pairs;
    if (root)
        pairs = root->prev;
    while (pairs) {
        struct timer_node *before = pairs->prev;
        root = join(root, pairs);
        pairs = before;
    }
    if (root) {
        root->prev = NULL;
        root->next = NULL;
    }
    return root;
}

void heap_put(struct timer_node **root, struct timer_node *node)
{
    node->next = NULL;
    node->prev = NULL;
    node->child = NULL;
    *root = *root ? join(*root, node) : node;
}

void heap_remove(struct timer_node **root, struct timer_node *node)
{
    struct timer_node *below = join_all(node->child);
    if (node == *root) {
        *root = below;
        return;
    }
    if (node->prev->child == node)
        node->prev->child = node->next;
    else
        node->prev->next = node->next;
    if (node->next)
        node->next->prev = node->prev;
    if (below)
        *root = join(*root, below);
}
