package org.dl4jsr.spark;

import java.io.Serializable;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import scala.collection.Iterator;
import scala.collection.Iterator$;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;
import scala.runtime.AbstractFunction1;

/** Runs a {@link RankJob} in the tasks of one barrier stage, which Spark starts together or not at all. */
final class BarrierJob {

    private static final ClassTag<Integer> INTEGER = ClassTag$.MODULE$.apply(Integer.class);

    private BarrierJob() {}

    /** Returns once all tasks have; Spark's exception, which Scala does not declare, where one has thrown or is lost. */
    static void run(JavaSparkContext spark, int ranks, RankJob job) {
        List<Integer> numbers = IntStream.range(0, ranks).boxed().toList();
        var stage = spark.parallelize(numbers, ranks).rdd().barrier().mapPartitions(new Task(job), false, INTEGER);
        new JavaRDD<>(stage, INTEGER).count();
    }

    /** Scala's function of the elements of a partition. */
    private static final class Task extends AbstractFunction1<Iterator<Integer>, Iterator<Integer>>
            implements Serializable {

        private static final long serialVersionUID = 1;

        private final RankJob job;

        Task(RankJob job) {
            this.job = job;
        }

        @Override
        public Iterator<Integer> apply(Iterator<Integer> elements) {
            try {
                return Iterator$.MODULE$.single(job.run());
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
