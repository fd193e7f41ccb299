/** What a run leaves for people: metrics, tables, curves and progress. Knows nothing of how a run is made. */
package org.dl4jsr.examples.report;
