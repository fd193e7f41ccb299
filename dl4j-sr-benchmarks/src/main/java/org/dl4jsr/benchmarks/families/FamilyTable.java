package org.dl4jsr.benchmarks.families;

import java.util.List;
import java.util.Locale;

/**
 * Trains families in both network classes and prints what came out in Markdown; exits with 1 if one missed what it has
 * to reach. {@code FamilyTable} trains those of the test, {@code FamilyTable all} every loss at the end of every kind
 * of network too, {@code FamilyTable REGEX} the families whose names match. After that, {@code stock} has the BF16
 * twins run on DL4J's own layers, without kernels.
 */
public final class FamilyTable {

    private static final int ITERATIONS = 100;

    private FamilyTable() {}

    public static void main(String[] arguments) {
        List<Family> families = arguments.length == 0 ? Families.representative() : Families.all();
        if (arguments.length > 0 && !arguments[0].equals("all")) {
            families = families.stream()
                    .filter(family -> family.name().matches(arguments[0]))
                    .toList();
        }
        boolean stock = arguments.length > 1 && arguments[1].equals("stock");
        var layers = stock ? Twins.Implementation.STOCK : Twins.Implementation.OURS;
        System.out.println("| family | FLOAT, start | FLOAT, end | BF16, end, network | graph | may differ by"
                + " | first gradient off by | outputs off by | at best | evaluation, FLOAT | BF16 |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|---|");
        int missed = 0;
        double worst = 0;
        double worstOutputs = 0;
        for (Family family : families) {
            Twins graphs = Twins.graphs(family, ITERATIONS, layers);
            Twins networks = family.network() == null ? graphs : Twins.networks(family, ITERATIONS, layers);
            boolean reached = graphs.failure(family) == null && networks.failure(family) == null;
            missed += reached ? 0 : 1;
            worst = Math.max(worst, Math.max(graphs.difference(), networks.difference()));
            worstOutputs = Math.max(worstOutputs, Math.max(graphs.outputError(), networks.outputError()));
            System.out.println(row(family, networks, graphs, reached));
        }
        System.out.printf(
                Locale.ROOT,
                "%n%d families, %d missed; largest difference %.1f%% of the fall, of outputs %.1f%%%n",
                families.size(),
                missed,
                100 * worst,
                100 * worstOutputs);
        System.exit(missed == 0 ? 0 : 1);
    }

    private static String row(Family family, Twins networks, Twins graphs, boolean reached) {
        return String.format(
                Locale.ROOT,
                "| %s%s | %.4f | %.4f | %s | %.4f | %.4f | %.1f%% | %s | %s | %s | %s |",
                family.name(),
                reached ? "" : " **missed**",
                graphs.start(),
                graphs.wide(),
                family.network() == null ? "" : String.format(Locale.ROOT, "%.4f", networks.narrow()),
                graphs.narrow(),
                family.tolerance() * (graphs.start() - graphs.wide()),
                100 * Math.max(networks.gradientError(), graphs.gradientError()),
                percent(family, Math.max(networks.outputError(), graphs.outputError())),
                percent(family, Math.max(networks.roundedError(), graphs.roundedError())),
                figure(graphs.wideEvaluation()),
                figure(graphs.narrowEvaluation()));
    }

    private static String percent(Family family, double share) {
        return family.pretrained() ? "" : String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }

    private static String figure(double evaluation) {
        return Double.isNaN(evaluation) ? "" : String.format(Locale.ROOT, "%.2f", evaluation);
    }
}
