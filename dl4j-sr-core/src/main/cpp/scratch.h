/// Memory of a thread that grows as needed and is used again.
class Scratch {
public:
    ~Scratch() { free(memory); }

    uint32_t* words(int64_t count) {
        if (count > capacity) {
            free(memory);
            capacity = (count + 15) / 16 * 16;
            memory = (uint32_t*) aligned_alloc(64, capacity * sizeof(uint32_t));
        }
        return memory;
    }

    float* floats(int64_t count) { return (float*) words(count); }

private:
    uint32_t* memory = 0;
    int64_t capacity = 0;
};

/// The memory of one computation of a thread, taken piece by piece.
class Workspace {
public:
    /// This thread's workspace, from the start: what was taken before is taken again.
    static Workspace& begin() {
        static thread_local Workspace workspace;
        workspace.taken = 0;
        return workspace;
    }

    Scratch& next() { return pieces[taken++]; }

private:
    Scratch pieces[11];
    int taken = 0;
};
