package org.dl4jsr.examples.data;

import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * What is for training and what for validation. Where the names of data files say "train" and "val", they decide. Else,
 * from ten files up, one in ten, chosen by the CRC-32 of its path, is for validation; with fewer, the last tenth of each
 * file is, but no more than helps.
 */
final class Split {

    static final int FEWEST_TO_SPLIT_BY_FILE = 10;
    private static final int ONE_FILE_IN = 10;
    private static final double TRAINING_SHARE_OF_A_FILE = 0.9;

    private static final String DATA = "([^a-z].*)?\\.(txt|jsonl|bin)(\\.gz)?";
    private static final Predicate<String> TRAINING =
            Pattern.compile("(.*[^a-z])?train(ing)?" + DATA).asMatchPredicate();
    private static final Predicate<String> VALIDATION =
            Pattern.compile("(.*[^a-z])?val(id|idation)?" + DATA).asMatchPredicate();

    /** Paths of whole files for validation; null where each file is divided. */
    private final Set<String> validation;

    private Split(Set<String> validation) {
        this.validation = validation;
    }

    static Split of(List<? extends CorpusFile> files) {
        Set<String> named = paths(files.stream().filter(file -> VALIDATION.test(name(file))));
        if (!named.isEmpty() && files.stream().anyMatch(file -> TRAINING.test(name(file)))) {
            return new Split(named);
        }
        if (files.size() < FEWEST_TO_SPLIT_BY_FILE) {
            return new Split(null);
        }
        return new Split(paths(files.stream()
                .sorted(Comparator.<CorpusFile>comparingLong(Split::hash).thenComparing(CorpusFile::path))
                .limit((files.size() + ONE_FILE_IN - 1) / ONE_FILE_IN)));
    }

    private static Set<String> paths(Stream<? extends CorpusFile> files) {
        return files.map(CorpusFile::path).collect(Collectors.toSet());
    }

    boolean isByFile() {
        return validation != null;
    }

    /** How many units of {@code scanned}, the first ones, are for training. */
    long trainingUnits(ScannedFile scanned) {
        if (isByFile()) {
            return validation.contains(scanned.file().path()) ? 0 : scanned.units();
        }
        return Math.max(
                (long) (TRAINING_SHARE_OF_A_FILE * scanned.units()),
                scanned.units() - scanned.file().mostForValidation());
    }

    private static String name(CorpusFile file) {
        return file.path().substring(file.path().lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
    }

    private static long hash(CorpusFile file) {
        CRC32 crc = new CRC32();
        crc.update(file.path().getBytes(StandardCharsets.UTF_8));
        return crc.getValue();
    }
}
