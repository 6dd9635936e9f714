/**
 * The CPU backend: a {@link io.fragua.graph.Graph} becomes a list of steps over planned memory.
 *
 * <p>Lowering, in this order; each pass is a small class that can be printed and tested alone:
 *
 * <ol>
 *   <li>{@code Simplify}: graph to {@code Value}s. Ops that only rearrange become {@code View}s
 *       (offset and strides over a value) and cost nothing; equal computations are shared; scalar
 *       constants are folded; results without elements vanish.
 *   <li>{@code Epilogue}: bias, tanh and logistic move into the matrix product before them; {@code
 *       Bag}: the sum of gathered rows becomes one step.
 *   <li>{@code Clusters}: elementwise values and reductions over the same points are grouped, from
 *       the results back, unless that would make steps depend on each other in a circle.
 *   <li>{@code KernelPlan}, {@code KernelSource}: a group becomes one Java class, written as source
 *       and compiled with Janino. Sizes are parameters: classes are shared by text for the whole
 *       process. {@code Space} finds the fewest axes that express all operands.
 *   <li>{@code Tiles}: steps that hand large values to each other run on one tile of their leading
 *       axes after another, so that softmax, layer normalization and attention stay in the cache.
 *   <li>{@code Planner}: places in one workspace ({@code Arena}s) by first and last use; results
 *       are written straight to the caller's memory, over a donated operand where nobody reads it
 *       any more.
 * </ol>
 *
 * <p>A {@code Step} is immutable and belongs to the program; {@code Step.Bound} is the same step
 * with one execution's addresses. Matrix products of f32 are oneDNN primitives. A generated kernel
 * holds its loop once: whole vectors run in place, the rest of a row is staged through scratch
 * memory and runs through the same code. Without {@code jdk.incubator.vector}, or with the system
 * property {@code fragua.vector=off}, the same generator writes scalar loops.
 *
 * <p>{@code ReferenceBackend} is the definition of every op; this backend is tested against it.
 */
package io.fragua.cpu;
