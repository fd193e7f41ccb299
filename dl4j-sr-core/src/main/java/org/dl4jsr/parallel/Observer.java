package org.dl4jsr.parallel;

/** Who has started a training, as its ranks see him. Methods are called by several threads, one at a time. */
public interface Observer {

    /** Hears what a rank says. */
    void note(String text);

    /** Whether the ranks are to come to an end, which each of them sees by {@link Rank#note}. */
    boolean isStopWanted();

    /** Hears nothing and wants all of the training. */
    static Observer none() {
        return new Observer() {
            @Override
            public void note(String text) {
                // nobody is there
            }

            @Override
            public boolean isStopWanted() {
                return false;
            }
        };
    }
}
