// AMX's tiles, eight registers of up to 16 rows of 64 bytes, and the same in plain C++ for processors without them.
// Both have the members
//   configure(config)          sets the tiles' shapes and clears them; each thread has tiles of its own
//   release()                  back to no tiles, which spares the system saving them
//   zero<t>(), load<t>(source, stride), store<t>(target, stride)    strides in bytes
//   multiplyAdd<c, a, b>()     c += a b: FP32 c [m, n], BF16 a [m, 2k], and b [k, n] of BF16 pairs along the sum
// The inline assembly needs no option of the compiler, only an assembler that knows AMX.

#if defined(__x86_64__) && defined(__linux__) && __GNUC__ >= 11
#define DL4JSR_AMX
#include <sys/syscall.h>
#include <unistd.h>
#endif

/// The operand of the instruction LDTILECFG.
struct TileConfiguration {
    uint8_t palette, startRow, reserved[14];
    uint16_t rowBytes[16];
    uint8_t rows[16];
};

/// All eight tiles of 16 rows of 64 bytes.
static const TileConfiguration LARGEST_TILES = {
    1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

/// As Intel's manual defines the instructions. What a processor refuses ends the process, as it would there.
class EmulatedTiles {
public:
    static void configure(const TileConfiguration& config) {
        State& s = state();
        bool valid = config.palette == 1 && config.startRow == 0;
        for (uint8_t byte : config.reserved) {
            valid &= byte == 0;
        }
        for (int tile = 0; tile < 16; tile++) {
            const int rows = config.rows[tile], bytes = config.rowBytes[tile];
            valid &= tile < TILES ? rows <= ROWS && bytes <= ROW_BYTES && (rows == 0) == (bytes == 0)
                                  : rows == 0 && bytes == 0;
        }
        require(valid);
        s.config = config;
        memset(s.bytes, 0, sizeof s.bytes);
    }

    static void release() { state().config = TileConfiguration{}; }

    template <int TILE>
    static void zero() {
        requireTile(TILE);
        memset(state().bytes[TILE], 0, sizeof state().bytes[TILE]);
    }

    template <int TILE>
    static void load(const void* source, int64_t stride) {
        zero<TILE>();
        for (int row = 0; row < rows(TILE); row++) {
            memcpy(state().bytes[TILE][row], (const char*) source + row * stride, rowBytes(TILE));
        }
    }

    template <int TILE>
    static void store(void* target, int64_t stride) {
        requireTile(TILE);
        for (int row = 0; row < rows(TILE); row++) {
            memcpy((char*) target + row * stride, state().bytes[TILE][row], rowBytes(TILE));
        }
    }

    /// Even and odd products are summed apart, fused, then added; subnormal numbers are zero everywhere.
    template <int C, int A, int B>
    static void multiplyAdd() {
        requireTile(A);
        requireTile(B);
        requireTile(C);
        require(C != A && C != B && A != B && rows(C) == rows(A) && rowBytes(C) == rowBytes(B)
                && rowBytes(A) % 4 == 0 && rowBytes(A) / 4 == rows(B) && rowBytes(C) % 4 == 0);
        for (int m = 0; m < rows(C); m++) {
            for (int n = 0; n < rowBytes(C) / 4; n++) {
                float sums[2] = {};
                for (int k = 0; k < rows(B); k++) {
                    for (int half = 0; half < 2; half++) {
                        sums[half] = normal(__builtin_fmaf(
                                bfloat16(A, m, 2 * k + half), bfloat16(B, k, 2 * n + half), sums[half]));
                    }
                }
                float c;
                memcpy(&c, state().bytes[C][m] + 4 * n, sizeof c);
                c = normal(normal(c) + normal(sums[0] + sums[1]));
                memcpy(state().bytes[C][m] + 4 * n, &c, sizeof c);
            }
        }
    }

private:
    static const int TILES = 8, ROWS = 16, ROW_BYTES = 64;

    struct State {
        TileConfiguration config;
        char bytes[TILES][ROWS][ROW_BYTES];
    };

    static State& state() {
        static thread_local State state;
        return state;
    }

    static int rows(int tile) { return state().config.rows[tile]; }

    static int rowBytes(int tile) { return state().config.rowBytes[tile]; }

    static void require(bool legal) {
        if (!legal) {
            __builtin_trap();
        }
    }

    static void requireTile(int tile) { require(rows(tile) > 0); }

    static float normal(float x) { return __builtin_fabsf(x) < 0x1p-126f ? __builtin_copysignf(0, x) : x; }

    static float bfloat16(int tile, int row, int index) {
        uint16_t half;
        memcpy(&half, state().bytes[tile][row] + 2 * index, sizeof half);
        const uint32_t bits = (uint32_t) half << 16;
        float x;
        memcpy(&x, &bits, sizeof x);
        return normal(x);
    }
};

#ifdef DL4JSR_AMX
struct AmxTiles {
    /// Whether the processor has them and Linux lets this process use them, for which it must be asked.
    static bool available() {
        const int requestPermission = 0x1023, tileData = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
        static const bool granted = __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16")
                && syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
        return granted;
    }

    static void configure(const TileConfiguration& config) {
        __asm__ volatile("ldtilecfg %0" : : "m"(config) : "memory");
    }

    static void release() { __asm__ volatile("tilerelease" : : : "memory"); }

    template <int TILE>
    static void zero() {
        __asm__ volatile("tilezero %%tmm%c0" : : "i"(TILE));
    }

    template <int TILE>
    static void load(const void* source, int64_t stride) {
        __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(source), "r"(stride), "i"(TILE) : "memory");
    }

    template <int TILE>
    static void store(void* target, int64_t stride) {
        __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(target), "r"(stride), "i"(TILE) : "memory");
    }

    template <int C, int A, int B>
    static void multiplyAdd() {
        __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(C), "i"(A), "i"(B));
    }
};
#else
struct AmxTiles : EmulatedTiles {
    static bool available() { return false; }
};
#endif
