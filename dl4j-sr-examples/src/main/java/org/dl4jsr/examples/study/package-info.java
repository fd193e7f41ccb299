/**
 * The claims of <i>Stochastic Rounding for LLM Training: Theory and Practice</i> (Ozkara, Yu, Park, arXiv 2502.20566),
 * each shown by an experiment that anybody can repeat in minutes. The numeric ones stand on the definition in {@link
 * org.dl4jsr.rounding} alone.
 */
package org.dl4jsr.examples.study;
