package org.dl4jsr.examples;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.core.domain.properties.HasName.AndFullName.Predicates.fullNameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.io.FileReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Scanner;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("slow")
class ArchitectureTest {

    private static JavaClasses classes;

    @BeforeAll
    static void load() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("org.dl4jsr.examples");
    }

    /** 100 MB, which every collection in later tests would mark. */
    @AfterAll
    static void drop() {
        classes = null;
    }

    @Test
    void packagesKnowThoseBelowThem() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("org.dl4jsr.examples..")
                .layer("main")
                .definedBy("org.dl4jsr.examples")
                .layer("command")
                .definedBy("org.dl4jsr.examples.command")
                .layer("bench")
                .definedBy("org.dl4jsr.examples.bench")
                .layer("study")
                .definedBy("org.dl4jsr.examples.study")
                .layer("run")
                .definedBy("org.dl4jsr.examples.run")
                .layer("report")
                .definedBy("org.dl4jsr.examples.report")
                .layer("data")
                .definedBy("org.dl4jsr.examples.data")
                .layer("io")
                .definedBy("org.dl4jsr.examples.io")
                .whereLayer("main")
                .mayNotBeAccessedByAnyLayer()
                .whereLayer("command")
                .mayOnlyBeAccessedByLayers("main")
                .whereLayer("bench")
                .mayOnlyBeAccessedByLayers("main", "command")
                .whereLayer("study")
                .mayOnlyBeAccessedByLayers("main", "command")
                .whereLayer("run")
                .mayOnlyBeAccessedByLayers("main", "command", "bench", "study")
                .whereLayer("report")
                .mayOnlyBeAccessedByLayers("command", "bench", "study", "run")
                .whereLayer("data")
                .mayOnlyBeAccessedByLayers("command", "bench", "study", "run")
                .check(classes);
    }

    /** What a user of the library needs is enough for the app. */
    @Test
    void theAppUsesWhatUsersUse() {
        noClasses()
                .should()
                .dependOnClassesThat(resideInAPackage("org.dl4jsr..")
                        .and(resideOutsideOfPackages(
                                "org.dl4jsr.examples..",
                                "org.dl4jsr.policy",
                                "org.dl4jsr.parallel",
                                "org.dl4jsr.updater",
                                "org.dl4jsr.nn",
                                "org.dl4jsr.weights",
                                "org.dl4jsr.rounding")))
                .check(classes);
    }

    /** Nothing that a run reads, writes or names depends on the machine's language, encoding or time zone. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "java.lang.String.(format|formatted)\\((java.lang.String, )?\\[Ljava.lang.Object;\\)",
                "java.io.PrintStream.(format|printf)\\(java.lang.String, \\[Ljava.lang.Object;\\)",
                "java.lang.String.to(Lower|Upper)Case\\(\\)",
                "java.lang.String.getBytes\\(\\)",
                "java.lang.String.<init>\\(\\[B(, int, int)?\\)",
                "java.io.(FileReader|FileWriter).<init>\\((java.io.File|java.lang.String)(, boolean)?\\)",
                "java.io.(InputStreamReader|OutputStreamWriter).<init>\\(java.io.(Input|Output)Stream\\)",
                "java.io.PrintStream.<init>\\(java.io.OutputStream(, boolean)?\\)",
                "java.util.Scanner.<init>\\(java.io.InputStream\\)",
                "java.nio.charset.Charset.defaultCharset\\(\\)",
                "java.util.Locale.getDefault\\(.*\\)",
                "java.time.(LocalDate|LocalDateTime|LocalTime|ZonedDateTime|OffsetDateTime).now\\(\\)",
                "java.time.ZoneId.systemDefault\\(\\)",
                "java.time.format.DateTimeFormatter.ofPattern\\(java.lang.String\\)",
            })
    void nothingDependsOnTheLocale(String calls) {
        ArchRule rule = noClasses().should().callCodeUnitWhere(target(fullNameMatching(calls)));
        rule.check(classes);
        assertTrue(rule.evaluate(new ClassFileImporter().importClasses(LocaleDependent.class))
                .hasViolation());
    }

    /** What the rules are to find. */
    @SuppressWarnings({
        "unused",
        "DefaultCharset",
        "ReturnValueIgnored",
        "JavaTimeDefaultTimeZone",
        "StringCaseLocaleUsage"
    })
    private static final class LocaleDependent {

        void all(PrintStream out, InputStream in, OutputStream stream, byte[] bytes) throws IOException {
            out.printf("%d", 1);
            String text = String.format("%d", 1).toLowerCase() + new String(bytes);
            new Scanner(in);
            new FileReader("file");
            new InputStreamReader(in);
            new PrintStream(stream);
            text.getBytes();
            Charset.defaultCharset();
            Locale.getDefault();
            LocalDateTime.now();
            ZoneId.systemDefault();
            DateTimeFormatter.ofPattern("yyyy");
        }
    }
}
