package org.dl4jsr.backend;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.cpu.nativecpu.bindings.Nd4jCpu;
import org.nd4j.nativeblas.OpaqueDataBuffer;

/**
 * ND4J's native library, with the memory of buffers and workspaces in blocks of ours: of {@link AlignedMemory}. libnd4j is
 * told that a buffer's memory is somebody else's, as it is for every array in a workspace; it is freed with the last
 * buffer that uses it. ND4J creates it by name.
 */
public class AlignedNativeOps extends Nd4jCpu {

    /** The blocks of libnd4j's buffers, by their addresses. */
    private final Map<Long, Block> blocks = new ConcurrentHashMap<>();

    /** Memory that a buffer and the views of it share. */
    private static final class Block {

        private final AtomicInteger users = new AtomicInteger(1);
        private final BlockMemory memory;
        private final long bytes;
        private final int width;
        private long address;

        Block(BlockMemory memory, long elements, int width) {
            this.memory = memory;
            this.width = width;
            bytes = elements * width;
            address = memory.allocate(bytes, true);
        }

        Pointer pointer() {
            return Pointers.at(address);
        }

        synchronized void free() {
            if (address != 0) {
                memory.free(address);
                address = 0;
            }
        }

        void release() {
            if (users.decrementAndGet() == 0) {
                free();
            }
        }
    }

    /** Where the elements of this type lie. */
    protected BlockMemory memoryOf(DataType type) {
        return AlignedMemory.INSTANCE;
    }

    /** Where workspaces lie. */
    protected BlockMemory workspaceMemory() {
        return AlignedMemory.INSTANCE;
    }

    /** Returns once the CPU may touch any block. */
    protected void awaitBlocks() {}

    @Override
    public OpaqueDataBuffer allocateDataBuffer(long elements, int dataType, boolean allocateBoth) {
        DataType type = DataType.fromInt(dataType);
        int width = type.width();
        if (elements <= 0 || width <= 0) {
            return super.allocateDataBuffer(elements, dataType, allocateBoth);
        }
        var block = new Block(memoryOf(type), elements, width);
        OpaqueDataBuffer buffer = dbCreateExternalDataBuffer(elements, dataType, block.pointer(), null);
        blocks.put(buffer.address(), block);
        return buffer;
    }

    @Override
    public OpaqueDataBuffer dbCreateView(OpaqueDataBuffer buffer, long length, long offset) {
        OpaqueDataBuffer view = super.dbCreateView(buffer, length, offset);
        Block block = blocks.get(buffer.address());
        if (block != null && view != null) {
            block.users.incrementAndGet();
            blocks.put(view.address(), block);
        }
        return view;
    }

    @Override
    public void dbExpand(OpaqueDataBuffer buffer, long elements) {
        Block old = blocks.get(buffer.address());
        if (old == null) {
            super.dbExpand(buffer, elements);
            return;
        }
        if (elements * old.width > old.bytes) {
            var larger = new Block(old.memory, elements, old.width);
            awaitBlocks(); // a new block may be filled with zeros by a device that queues its work
            Memory.copy(old.address, larger.address, old.bytes);
            super.dbSetPrimaryBuffer(buffer, larger.pointer(), elements);
            blocks.put(buffer.address(), larger);
            old.release();
        }
    }

    @Override
    public void dbSetPrimaryBuffer(OpaqueDataBuffer buffer, Pointer primary, long elements) {
        super.dbSetPrimaryBuffer(buffer, primary, elements);
        Block block = blocks.remove(buffer.address());
        if (block != null) {
            block.release();
        }
    }

    @Override
    public void dbClose(OpaqueDataBuffer buffer) {
        super.dbClose(buffer);
        Block block = blocks.remove(buffer.address());
        if (block != null) {
            block.free(); // at once, as libnd4j does, whoever else uses it
        }
    }

    @Override
    public void deleteDataBuffer(OpaqueDataBuffer buffer) {
        Block block = blocks.remove(buffer.address()); // before another buffer can have the same address
        super.deleteDataBuffer(buffer);
        if (block != null) {
            block.release();
        }
    }

    @Override
    public Pointer mallocHost(long bytes, int flags) {
        return Pointers.at(workspaceMemory().allocate(bytes, false));
    }

    @Override
    public int freeHost(Pointer pointer) {
        if (pointer != null && !pointer.isNull()) {
            workspaceMemory().free(pointer.address());
        }
        return 1;
    }
}
