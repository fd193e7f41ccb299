package org.dl4jsr.kernel.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/** oneDNN's primitives and their operands, ready to run on any addresses. Not for two threads at a time. */
abstract class OneDnnPrimitives implements AutoCloseable {

    private final List<Pointer> owned = new ArrayList<>();
    private final Address address = new Address();
    private final engine engine;

    OneDnnPrimitives(engine engine) {
        this.engine = engine;
    }

    @Override
    public final void close() {
        owned.forEach(Pointer::close);
    }

    /** Has {@code pointer} live until {@link #close}. */
    final <P extends Pointer> P keep(P pointer) {
        owned.add(pointer.retainReference());
        return pointer;
    }

    private memory memory(memory.desc descriptor) {
        return keep(new memory(descriptor, engine, address.at(0)));
    }

    /** An array as it is given and, where that differs, as oneDNN wants it. */
    final class Operand {

        private final memory given;
        private final memory wanted;
        private final long wantedBytes;
        private final primitive reorder;
        private final IntMemoryMap reorderArguments;
        private final boolean written;
        private final Scratch scratch;

        /** An array that is wanted as it is given. */
        Operand(IntMemoryMap arguments, int argument, memory.desc givenAs) {
            this(arguments, argument, givenAs, givenAs, false, null);
        }

        /**
         * @param arguments of the primitive, into which it goes as {@code argument}
         * @param scratch for the array as oneDNN wants it
         */
        Operand(
                IntMemoryMap arguments,
                int argument,
                memory.desc givenAs,
                memory.desc wantedAs,
                boolean written,
                Scratch scratch) {
            this.written = written;
            this.scratch = scratch;
            given = memory(givenAs);
            boolean same = wantedAs.equals(givenAs);
            wanted = same ? given : memory(wantedAs);
            wantedBytes = wantedAs.get_size();
            arguments.put(argument, wanted);
            reorder = same
                    ? null
                    : keep(new reorder(
                            written
                                    ? new reorder.primitive_desc(engine, wantedAs, engine, givenAs)
                                    : new reorder.primitive_desc(engine, givenAs, engine, wantedAs)));
            reorderArguments = same ? null : keep(new IntMemoryMap());
            if (!same) {
                reorderArguments.put(DNNL_ARG_FROM, written ? wanted : given);
                reorderArguments.put(DNNL_ARG_TO, written ? given : wanted);
            }
        }

        /** Before the primitive runs, on the array at this address. */
        void prepare(stream stream, long array) {
            given.set_data_handle(address.at(array));
            if (reorder != null) {
                wanted.set_data_handle(address.at(scratch.reserve(wantedBytes)));
                if (!written) {
                    reorder.execute(stream, reorderArguments);
                }
            }
        }

        /** After the primitive has run. */
        void finish(stream stream) {
            if (reorder != null && written) {
                reorder.execute(stream, reorderArguments);
            }
        }
    }
}
