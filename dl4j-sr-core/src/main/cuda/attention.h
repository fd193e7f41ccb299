// Causal attention that never holds all scores (Dao, arXiv 2307.08691): what its kernels share.
#pragma once
#include "device.h"

/// One head's rows of one sequence in the arrays of a model: row i is at first + i * stride.
template <class T>
struct Rows {
    T* first;
    int64_t stride;

    METHOD T* row(int i) const { return first + i * stride; }
};

/// Where the arrays of one batch index and head are.
struct Head {
    int time, heads, width, batch, head;

    METHOD Head(int index, int time, int heads, int width)
        : time(time), heads(heads), width(width), batch(index / heads), head(index % heads) {}

    /// Of an array [batch * time, parts * heads * width].
    template <class T>
    METHOD Rows<T> part(T* array, int part, int parts) const {
        const int64_t stride = (int64_t) parts * heads * width;
        return {array + (int64_t) batch * time * stride + ((int64_t) part * heads + head) * width, stride};
    }
};
