package org.dl4jsr.backend;

import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Prints how each op of ND4J runs on BF16 arrays, as Markdown: the lists of docs/ops.md. */
final class OpLists {

    private static final int WIDTH = 120;
    private static final Set<Treatment> REFUSALS = EnumSet.of(Treatment.REFUSED, Treatment.BROKEN);
    private static final Map<Treatment, String> TITLES = new EnumMap<>(Map.of(
            Treatment.COPY, "Copied or cast by our kernels",
            Treatment.NATIVE, "Native: elements moved, or each result rounded once",
            Treatment.MATMUL, "Matrix products: sums in FP32, rounded once",
            Treatment.PROMOTED, "Promoted: computed in FP32, rounded once",
            Treatment.REFUSED, "Refused",
            Treatment.BROKEN, "Refused: ND4J corrupts memory or ends the process, in FLOAT, too"));

    private OpLists() {}

    public static void main(String[] arguments) {
        System.out.print(markdown());
    }

    static String markdown() {
        Map<Treatment, Set<String>> names = new EnumMap<>(Treatment.class);
        Set<String> tried = tried();
        tried.removeAll(UntriedOps.REFUSED_IN_FLOAT);
        for (String name : tried) {
            names.computeIfAbsent(treatment(name), treatment -> new TreeSet<>()).add(name);
        }
        var text = new StringBuilder();
        TITLES.forEach((treatment, title) -> append(text, title, names.getOrDefault(treatment, Set.of())));
        append(text, "Refused, as for FLOAT: ops on whole numbers or truth values", UntriedOps.REFUSED_IN_FLOAT);
        append(text, "Ours, on our kernels", ours());
        UntriedOps.byReason().forEach((reason, ops) -> append(text, "Not tried: " + reason, ops));
        return text.toString().strip() + "\n";
    }

    /** The names of all ops but those in {@link UntriedOps}; refused ones are known to be refused. */
    private static Set<String> tried() {
        Set<String> names = Nd4jOps.customNames();
        Nd4jOps.legacyClasses().stream()
                .map(Nd4jOps::name)
                .filter(Objects::nonNull)
                .forEach(names::add);
        names.removeIf(name -> UntriedOps.names().contains(name) && !REFUSALS.contains(treatment(name)));
        return names;
    }

    private static Treatment treatment(String name) {
        List<INDArray> operands = Collections.nCopies(2, Nd4j.create(DataType.BFLOAT16, 1));
        return Treatment.of(name, operands, operands.subList(0, 1));
    }

    private static Set<String> ours() {
        return new ClassFileImporter()
                .importPackages("org.dl4jsr.op").stream()
                        .filter(type -> type.isAssignableTo(KernelOp.class)
                                && !type.getModifiers().contains(JavaModifier.ABSTRACT))
                        .map(type -> type.getSimpleName())
                        .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void append(StringBuilder text, String title, Set<String> names) {
        List<String> words = new ArrayList<>(List.of(("**" + title + "** (" + names.size() + "):").split(" ")));
        names.stream().sorted().forEach(name -> words.add("`" + name + "`"));
        int column = 0;
        for (String word : words) {
            if (column > 0 && column + 1 + word.length() > WIDTH) {
                text.append('\n');
                column = 0;
            } else if (column > 0) {
                text.append(' ');
                column++;
            }
            text.append(word);
            column += word.length();
        }
        text.append("\n\n");
    }
}
