package org.dl4jsr;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Package dependencies point one way. */
@Tag("slow")
class PackageDependenciesTest {

    private static JavaClasses classes;

    @BeforeAll
    static void load() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("org.dl4jsr");
    }

    /** 100 MB, which every collection in later tests would mark. */
    @AfterAll
    static void drop() {
        classes = null;
    }

    @Test
    void dependenciesPointDownwards() {
        layeredArchitecture()
                .consideringOnlyDependenciesInAnyPackage("org.dl4jsr..")
                .layer("rounding")
                .definedBy("org.dl4jsr.rounding..")
                .layer("kernel")
                .definedBy("org.dl4jsr.kernel..")
                .layer("op")
                .definedBy("org.dl4jsr.op..")
                .layer("backend")
                .definedBy("org.dl4jsr.backend..")
                .layer("updater")
                .definedBy("org.dl4jsr.updater..")
                .layer("parallel")
                .definedBy("org.dl4jsr.parallel..")
                .layer("policy")
                .definedBy("org.dl4jsr.policy..")
                .layer("layer")
                .definedBy("org.dl4jsr.layer..")
                .layer("nn")
                .definedBy("org.dl4jsr.nn..")
                .layer("weights")
                .definedBy("org.dl4jsr.weights..")
                .whereLayer("rounding")
                .mayNotAccessAnyLayer()
                .whereLayer("kernel")
                .mayOnlyAccessLayers("rounding")
                .whereLayer("op")
                .mayOnlyAccessLayers("kernel", "rounding")
                .whereLayer("backend")
                .mayOnlyAccessLayers("op", "kernel", "rounding")
                .whereLayer("updater")
                .mayOnlyAccessLayers("backend", "op", "kernel", "rounding")
                .whereLayer("parallel")
                .mayOnlyAccessLayers("updater", "backend", "op", "kernel", "rounding")
                .whereLayer("policy")
                .mayOnlyAccessLayers("updater", "layer", "backend", "op", "kernel", "rounding")
                .whereLayer("layer")
                .mayOnlyAccessLayers("backend", "op", "kernel", "rounding")
                .whereLayer("nn")
                .mayOnlyAccessLayers("op", "kernel", "rounding")
                .whereLayer("weights")
                .mayOnlyAccessLayers("nn", "updater", "op", "rounding")
                .check(classes);
    }

    /** The contracts know no implementation, the implementations not each other, but for the Java kernels. */
    @Test
    void contractsKnowNoImplementation() {
        noClasses()
                .that()
                .resideInAPackage("org.dl4jsr.kernel")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.dl4jsr.kernel.*..")
                .check(classes);
        noClasses()
                .that()
                .resideInAPackage("org.dl4jsr.kernel.composed..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "org.dl4jsr.kernel.cpu..", "org.dl4jsr.kernel.cuda..", "org.dl4jsr.kernel.reference..")
                .check(classes);
        noClasses()
                .that()
                .resideInAPackage("org.dl4jsr.kernel.reference..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.dl4jsr.kernel.cpu..", "org.dl4jsr.kernel.cuda..")
                .check(classes);
        noClasses()
                .that()
                .resideInAPackage("org.dl4jsr.kernel.cpu..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.dl4jsr.kernel.cuda..")
                .check(classes);
    }

    /** Whoever computes asks a device; only the devices know implementations. */
    @Test
    void onlyDevicesKnowImplementations() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "org.dl4jsr.op..",
                        "org.dl4jsr.updater..",
                        "org.dl4jsr.parallel..",
                        "org.dl4jsr.layer..",
                        "org.dl4jsr.nn..",
                        "org.dl4jsr.weights..",
                        "org.dl4jsr.policy..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("org.dl4jsr.kernel.*..")
                .check(classes);
        noClasses() // what runs an op of ND4J on kernels runs on a GPU, too
                .that()
                .resideInAPackage("org.dl4jsr.backend")
                .and()
                .haveNameNotMatching(".*\\.(CpuDevice|Bf16CpuBackend|DeviceChoice)(\\$.*)?")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("org.dl4jsr.kernel.cpu..", "org.dl4jsr.kernel.cuda..")
                .check(classes);
    }

    @Test
    void noCycles() {
        slices().matching("org.dl4jsr.(*)..").should().beFreeOfCycles().check(classes);
    }
}
