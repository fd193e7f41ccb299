// The cells of an LSTM, a time step at a time. A row of gates holds cell input, forget, output and input gate.
#include "device.h"

DEVICE float sigmoid(float x) { return 1 / (1 + expf(-x)); }

KERNEL(THREADS, lstmCell, float* gates, const uint16_t* bias, const float* previous, float* cell, uint16_t* output,
       int rows, int width) {
    for (int64_t i = threadIndex(); i < (int64_t) rows * width; i += threads()) {
        const int64_t row = i / width;
        const int c = (int) (i - row * width);
        float* const z = gates + 4 * row * width + c;
        const uint16_t* const b = bias + c;
        const float in = tanhf(z[0] + load(b));
        const float forget = sigmoid(z[width] + load(b + width));
        const float open = sigmoid(z[2 * (int64_t) width] + load(b + 2 * (int64_t) width));
        const float write = sigmoid(z[3 * (int64_t) width] + load(b + 3 * (int64_t) width));
        const float state = fmaf(forget, previous[i], write * in);
        z[0] = in;
        z[width] = forget;
        z[2 * (int64_t) width] = open;
        z[3 * (int64_t) width] = write;
        cell[i] = state;
        store(output + i, open * tanhf(state));
    }
}

/// dState may be null.
KERNEL(THREADS, lstmCellGradient, const float* gates, const float* previous, const float* cell,
       const uint16_t* dOutput, const float* dState, float* dCell, uint16_t* dGates, int rows, int width) {
    for (int64_t i = threadIndex(); i < (int64_t) rows * width; i += threads()) {
        const int64_t row = i / width, first = 4 * row * width + (i - row * width);
        const float* const z = gates + first;
        uint16_t* const dz = dGates + first;
        const float in = z[0], forget = z[width], open = z[2 * (int64_t) width], write = z[3 * (int64_t) width];
        const float gradient = load(dOutput + i) + (dState ? dState[i] : 0);
        const float active = tanhf(cell[i]);
        const float dc = fmaf(gradient * open, 1 - active * active, dCell[i]);
        store(dz, dc * write * (1 - in * in));
        store(dz + width, dc * previous[i] * forget * (1 - forget));
        store(dz + 2 * (int64_t) width, gradient * active * open * (1 - open));
        store(dz + 3 * (int64_t) width, dc * in * write * (1 - write));
        dCell[i] = dc * forget;
    }
}
