package org.dl4jsr.spark;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import scala.collection.Iterator;
import scala.collection.JavaConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** Runs a {@link RankJob} in the tasks of one barrier stage, which Spark starts together or not at all. */
final class BarrierJob {

    private static final ClassTag<Outcome> OUTCOME = ClassTag$.MODULE$.apply(Outcome.class);

    private BarrierJob() {}

    /** The outcomes in the order of ranks. */
    static List<Outcome> run(JavaSparkContext spark, int ranks, RankJob job) {
        List<Integer> numbers = IntStream.range(0, ranks).boxed().toList();
        var stage = spark.parallelize(numbers, ranks).rdd().barrier().mapPartitions(new Task(job), false, OUTCOME);
        return new JavaRDD<>(stage, OUTCOME).collect();
    }

    /** Scala's function of the elements of a partition. */
    private static final class Task extends AbstractFunction1<Iterator<Integer>, Iterator<Outcome>>
            implements Serializable {

        private static final long serialVersionUID = 1;

        private final RankJob job;

        Task(RankJob job) {
            this.job = job;
        }

        @Override
        public Iterator<Outcome> apply(Iterator<Integer> elements) {
            return JavaConverters.asScalaIterator(List.of(job.run()).iterator());
        }
    }
}
