// Activation functions over arrays, and their gradients.
#include "activations.h"

template <class Activation, class T>
static inline void forwardOf(int threads, const T* x, T* y, int64_t length) {
    const int64_t blocks = blocksOf(length);
#pragma omp parallel for num_threads(threadsFor(threads, blocks))
    for (int64_t block = 0; block < blocks; block++) {
        int64_t first = block * BLOCK;
        eachVector(blockEnd(block, length) - first, [&](int64_t i, auto part) {
            store(y + first + i, Activation::value(load(x + first + i, part)), part);
        });
    }
}

template <class Activation, class T>
static inline void backwardOf(
        int threads, const T* x, const T* dy, T* y, T* dx, T* dBias, int rows, int width) {
    const float* sums = sumRows(threads, rows, width, [&](int row, float* rowSums) {
        eachVector(width, [&](int64_t c, auto part) {
            int64_t i = (int64_t) row * width + c;
            V in = load(x + i, part);
            V value, gradient = load(dy + i, part) * Activation::derivative(in, value);
            if (y) {
                store(y + i, value, part);
            }
            store(rowSums + c, load(rowSums + c) + gradient);
            store(dx + i, gradient, part);
        });
    });
    copy(sums, dBias, width);
}

/// Calls function of the activation of this name.
#define OF_ACTIVATION(Activation, function, ...) \
    if (activation == #Activation) { \
        return function<Activation>(__VA_ARGS__); \
    }

template <class T>
static inline void activationForward(int threads, const std::string& activation, const T* x, T* y, int64_t length) {
#define FORWARD(Activation) OF_ACTIVATION(Activation, forwardOf, threads, x, y, length)
    ACTIVATIONS(FORWARD)
#undef FORWARD
    throw std::invalid_argument("There is no native activation " + activation);
}

template <class T>
static inline void activationBackward(
        int threads, const std::string& activation, const T* x, const T* dy, T* y, T* dx, T* dBias, int rows,
        int width) {
#define BACKWARD(Activation) OF_ACTIVATION(Activation, backwardOf, threads, x, dy, y, dx, dBias, rows, width)
    ACTIVATIONS(BACKWARD)
#undef BACKWARD
    throw std::invalid_argument("There is no native activation " + activation);
}

#undef OF_ACTIVATION
