/** Our side of the comparison with Hugging Face's libraries; the other is {@code peers/round_trip.py}. */
package org.dl4jsr.benchmarks.peers;
