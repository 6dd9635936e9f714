package io.fragua.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fragua.transform.Fn;
import io.fragua.transform.Jit;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** What a user reads after the likeliest mistakes: who, the rule, what was given, what to do. */
class ErrorTextTest {
  record Mistake(String error, Fn code, TensorType... operands) {}

  static TensorType f(int... dims) {
    return TensorType.of(DType.F32, dims);
  }

  private static final TensorType I = TensorType.of(DType.I32, 2);

  static Mistake of(String error, Fn code, TensorType... operands) {
    return new Mistake(error, code, operands);
  }

  private static Mistake tooLong(String who, long size, Fn code, TensorType... operands) {
    return new Mistake(
        who
            + ": an axis has at most 2147483647 elements: "
            + size
            + " would be needed; ask for less, or split the tensor",
        code,
        operands);
  }

  private static final List<Mistake> MISTAKES =
      List.of(
          of(
              "matmul: inner sizes differ: [32, 784] x [512, 10] (784 vs 512); transpose the right"
                  + " operand or fix the layer's input size",
              x -> List.of(x.get(0).matmul(x.get(1))),
              f(32, 784),
              f(512, 10)),
          of(
              "matmul: operands need at least one axis: [] x [3, 4]; multiply by a scalar with mul",
              x -> List.of(x.get(0).matmul(x.get(1))),
              f(),
              f(3, 4)),
          of(
              "matmul: inner sizes differ: [4] x [3, 4] (4 vs 3); transpose the right operand or"
                  + " reshape the vector",
              x -> List.of(x.get(0).matmul(x.get(1))),
              f(4),
              f(3, 4)),
          of(
              "einsum: axes of label 'k' must have one size, not 3 and 4: \"ik,kj->ij\" on f32[2,"
                  + " 3], f32[4, 5]; correct the equation or reshape an operand",
              x -> List.of(Contractions.einsum("ik,kj->ij", x.get(0), x.get(1))),
              f(2, 3),
              f(4, 5)),
          of(
              "einsum: there must be a term for each operand: \"ik,kj->ij\" on f32[2, 3]; add or"
                  + " remove a term",
              x -> List.of(Contractions.einsum("ik,kj->ij", x.get(0))),
              f(2, 3)),
          of(
              "einsum: label 'z' of the result must be one of an operand: \"ij->iz\" on f32[2, 3];"
                  + " remove it",
              x -> List.of(Contractions.einsum("ij->iz", x.get(0))),
              f(2, 3)),
          of(
              "matmul: shapes must broadcast (sizes equal or 1, aligned at the last axis): [2] with"
                  + " [3]; reshape one of them",
              x -> List.of(x.get(0).matmul(x.get(1))),
              f(2, 4, 5),
              f(3, 5, 6)),
          of(
              "matmul: operands must have one dtype: f32[2, 3] x f64[3, 2]; cast one of them",
              x -> List.of(x.get(0).matmul(x.get(1))),
              f(2, 3),
              TensorType.of(DType.F64, 3, 2)),
          of(
              "matmul: dtype must be one of [f32, f64, f16, bf16, i32, i64]: bool[2, 2]; cast it"
                  + " first",
              x -> List.of(x.get(0).matmul(x.get(0))),
              TensorType.of(DType.BOOL, 2, 2)),
          of(
              "add: shapes must broadcast (sizes equal or 1, aligned at the last axis): [32, 10]"
                  + " with [32]; reshape one of them",
              x -> List.of(x.get(0).add(x.get(1))),
              f(32, 10),
              f(32)),
          of(
              "add: operands must have one type: f32[2] with i32[2]; broadcast or cast one of them",
              x -> List.of(x.get(0).add(x.get(1))),
              f(2),
              I),
          of(
              "mul: a number must be whole and in the range of an integer dtype: 0.5 with i32[2];"
                  + " cast the tensor to a type that holds it first",
              x -> List.of(x.get(0).mul(0.5)),
              I),
          of(
              "clip: a number must be whole and in the range of an integer dtype: 300.0 with u8[2];"
                  + " cast the tensor to a type that holds it first",
              x -> List.of(x.get(0).clip(0, 300)),
              TensorType.of(DType.U8, 2)),
          of(
              "pad: the value must be whole and in the range of an integer dtype: NaN for i32[2];"
                  + " cast the tensor to a type that holds it first",
              x -> List.of(x.get(0).pad(0, 1, 1, Double.NaN)),
              I),
          of(
              "arange: values must be whole and in the range of an integer dtype: 0.0 to 299.0 by"
                  + " 1.0 of i8; cast to a type that holds them",
              x -> List.of(Ranges.arange(DType.I8, 0, 300, 1)),
              f(1)),
          of(
              "interp: points must be two vectors of one size and of the floating dtype of the"
                  + " places: f32[3] and f32[2] for f32[2]; cast or reshape them",
              x -> List.of(x.get(1).interp(x.get(0), x.get(1))),
              f(3),
              f(2)),
          of(
              "histogram: edges must be a vector of at least two, of the tensor's dtype: i32[2] for"
                  + " f32[3]; cast or reshape them",
              x -> List.of(x.get(0).histogram(x.get(1))),
              f(3),
              I),
          of(
              "bincount: needs integers, and weights of their shape: f32[3] with i32[3]; cast or"
                  + " broadcast first",
              x -> List.of(x.get(0).bincount(4)),
              f(3)),
          of(
              "diff: n must not be negative: -1 of f32[3]; correct it",
              x -> List.of(x.get(0).diff(-1, 0)),
              f(3)),
          of(
              "avg_pool: dtype must be floating: i32[1, 4, 1]; cast it first",
              x -> List.of(x.get(0).avgPool(Window.of(2), true)),
              TensorType.of(DType.I32, 1, 4, 1)),
          of(
              "adaptive_avg_pool: dtype must be floating: i32[1, 4, 1]; cast it first",
              x -> List.of(x.get(0).adaptiveAvgPool(3)),
              TensorType.of(DType.I32, 1, 4, 1)),
          tooLong("tile", 4294967294L, x -> List.of(x.get(0).tile(Integer.MAX_VALUE)), f(2)),
          tooLong("repeat", 4294967294L, x -> List.of(x.get(0).repeat(Integer.MAX_VALUE, 0)), f(2)),
          tooLong("diag", 2500200004L, x -> List.of(x.get(0).diag(50000)), f(2)),
          tooLong("diag", 2147483650L, x -> List.of(x.get(0).diag(Integer.MIN_VALUE)), f(2)),
          tooLong(
              "window",
              2147483649L,
              x -> List.of(x.get(0).sumPool(Window.of(3).withDilations(1 << 30).same(9))),
              f(1, 9, 1)),
          tooLong(
              "kron",
              2147483648L,
              x -> List.of(x.get(0).kron(x.get(0).reshape(65536, 1))),
              f(32768, 2)),
          of(
              "to_ints: an element must lie in the range of i32: 1.099511627776E12 at 1 of i64[2];"
                  + " read it as another type",
              x ->
                  List.of(
                      Tensor.scalar(DType.I32, Tensor.of(new long[] {5, 1L << 40}, 2).toInts()[0])),
              f(1)),
          of(
              "to_ints: an element must lie in the range of i32: NaN at 0 of f32[1]; read it as"
                  + " another type",
              x -> List.of(Tensor.of(Tensor.of(new float[] {Float.NaN}, 1).toInts(), 1)),
              f(1)),
          of(
              "to_bytes: an element must lie in the range of i8: -129.0 at 0 of f64[1]; read it as"
                  + " another type",
              x -> List.of(Tensor.of(Tensor.of(new double[] {-129}, 1).toBytes(), 1)),
              f(1)),
          of(
              "exp: dtype must be one of [f32, f64, f16, bf16]: i32[2]; cast it first",
              x -> List.of(x.get(0).exp()),
              I),
          of(
              "relu: dtype must be one of [f32, f64, f16, bf16, i8, u8, i16, i32, i64]: bool[2];"
                  + " cast it first",
              x -> List.of(x.get(0).relu()),
              TensorType.of(DType.BOOL, 2)),
          of(
              "logical_not: dtype must be one of [bool]: f32[2]; cast it first",
              x -> List.of(x.get(0).not()),
              f(2)),
          of(
              "reshape: the number of elements must stay: f32[2, 3] (6) to [4, 2] (8); correct a"
                  + " size or pass -1 for one of them",
              x -> List.of(x.get(0).reshape(4, 2)),
              f(2, 3)),
          of(
              "reshape: at most one size may be -1: [-1, -1]; state the others",
              x -> List.of(x.get(0).reshape(-1, -1)),
              f(2, 3)),
          of(
              "shape: axis must lie in [-2, 2): axis 2 of [2, 3]; name an existing axis",
              x -> List.of(x.get(0).sum(2)),
              f(2, 3)),
          of(
              "reduce_max: axes must be ascending without repetition: [1, 1] of [2, 3]; name each"
                  + " axis once",
              x -> List.of(x.get(0).max(1, -1)),
              f(2, 3)),
          of(
              "argmax: the axis must not be empty: axis 1 of f32[2, 0]; check for emptiness first",
              x -> List.of(x.get(0).argmax(-1)),
              f(2, 0)),
          of(
              "transpose: perm must name each axis once: [0, 0] of f32[2, 3]; correct perm",
              x -> List.of(x.get(0).transpose(0, 0)),
              f(2, 3)),
          of(
              "transpose: needs two axes: f32[3]; reshape it first",
              x -> List.of(x.get(0).transpose()),
              f(3)),
          of(
              "expand_dims: axis must lie in [-3, 2]: axis 3 of f32[2, 3]; name a place between"
                  + " axes",
              x -> List.of(x.get(0).expandDims(3)),
              f(2, 3)),
          of(
              "broadcast_to: the target must be the larger: [2, 3] to [1, 3]; exchange them or"
                  + " reshape",
              x -> List.of(x.get(0).broadcastTo(Shape.of(1, 3))),
              f(2, 3)),
          of(
              "slice: must hold 0 <= start <= limit <= size and stride >= 1: start 2, limit 9,"
                  + " stride 1 on axis 0 of f32[5]; correct the bounds",
              x -> List.of(x.get(0).slice(0, 2, 9)),
              f(5)),
          of(
              "pad: low, high and interior must not be negative: -1, 0, 0 on axis 0 of f32[5];"
                  + " slice to remove elements",
              x -> List.of(x.get(0).pad(0, -1, 0, 0)),
              f(5)),
          of(
              "concat: operands must agree in dtype and in all axes but 0: f32[2, 3] with f32[2,"
                  + " 4]; cast, reshape or slice one of them",
              x -> List.of(Movement.concat(0, x)),
              f(2, 3),
              f(2, 4)),
          of(
              "concat: needs at least one tensor: none given; pass one",
              x -> List.of(Movement.concat(0, List.of())),
              f(1)),
          of(
              "gather: indices must be i32: f32[3]; cast them",
              x -> List.of(x.get(0).gather(x.get(1))),
              f(5, 2),
              f(3)),
          of(
              "scatter: the updates' leading axes must be those of the indices: f32[4, 2] with"
                  + " indices i32[2]; reshape one of them",
              x -> List.of(x.get(0).scatterAdd(5, x.get(1))),
              f(4, 2),
              I),
          of(
              "scatter: the updates must have the axes of the indices, then those of a row: f32[2]"
                  + " with indices i32[2] into f32[5, 2]; reshape one of them",
              x -> List.of(x.get(0).scatter(Scatter.SET, x.get(1), x.get(2))),
              f(5, 2),
              I,
              f(2)),
          of(
              "dynamic_slice: the piece must fit the axis: 6 elements of axis 0 of f32[5]; correct"
                  + " the size",
              x -> List.of(x.get(0).dynamicSlice(0, Tensor.scalar(DType.I32, 0), 6)),
              f(5)),
          of(
              "dynamic_slice: the start must be an i32 scalar: i32[2]; cast or reshape it",
              x -> List.of(x.get(0).dynamicSlice(0, x.get(1), 1)),
              f(5),
              I),
          of(
              "slice: an index holds whole numbers, not \"a\": \"1:a\" of f32[5]; write for each"
                  + " axis a number or start:stop:step, as in \"1:, ::2, -1\"",
              x -> List.of(x.get(0).slice("1:a")),
              f(5)),
          of(
              "slice: an index lies in [-5, 5) on axis 1: \":, 5\" of f32[3, 5]; write for each"
                  + " axis a number or start:stop:step, as in \"1:, ::2, -1\"",
              x -> List.of(x.get(0).slice(":, 5")),
              f(3, 5)),
          of(
              "slice: an index has at most 1 entries: \"0, 0\" of f32[5]; write for each axis a"
                  + " number or start:stop:step, as in \"1:, ::2, -1\"",
              x -> List.of(x.get(0).slice("0, 0")),
              f(5)),
          of(
              "sum: needs at least one tensor: none given; pass one",
              x -> List.of(Elementwise.sum(List.of())),
              f(1)),
          of(
              "flip: an axis must not be repeated: [0, -1] of f32[3]; name each axis once",
              x -> List.of(x.get(0).flip(0, -1)),
              f(3)),
          of(
              "rot90: a plane has two axes: 1 and -1 of f32[2, 2]; name two different ones",
              x -> List.of(x.get(0).rot90(1, 1, -1)),
              f(2, 2)),
          of(
              "histogram: low must not be above high: 4.0 and 0.0 for f32[3]; exchange them",
              x -> List.of(x.get(0).histogram(2, 4, 0)),
              f(3)),
          of(
              "segments: the rows' leading axes must be those of the groups: f32[4] with groups"
                  + " i32[2, 2]; reshape one of them",
              x -> List.of(x.get(0).segmentMean(2, x.get(1))),
              f(4),
              TensorType.of(DType.I32, 2, 2)),
          tooLong(
              "pad",
              3L + Integer.MAX_VALUE,
              x -> List.of(x.get(0).pad(0, 0, Integer.MAX_VALUE, Padding.EDGE)),
              f(3)),
          of(
              "adaptive_max_pool: a single tensor holds at most 2147483583 bytes: f32[1,"
                  + " 2147483647, 1]; split the tensor",
              x -> List.of(x.get(0).adaptiveMaxPool(Integer.MAX_VALUE)),
              f(1, 3, 1)),
          of(
              "broadcast_in_dim: a single tensor holds at most 2147483583 bytes: f32[65536, 65536];"
                  + " split the tensor",
              x -> List.of(Tensor.zeros(DType.F32, 1).broadcastTo(Shape.of(1 << 16, 1 << 16))),
              f(1)),
          of(
              "squeeze: an axis to remove must have size 1: axis 0 of f32[2, 1]; reduce or index"
                  + " it",
              x -> List.of(x.get(0).squeeze(0)),
              f(2, 1)),
          of(
              "top_k: k must lie in [0, 3]: 4 on axis -1 of f32[2, 3]; ask for fewer",
              x -> List.of(x.get(0).topK(4, -1).values()),
              f(2, 3)),
          of(
              "median: needs a floating dtype and an axis that is not empty: axis 0 of f32[0]; cast"
                  + " it or check first",
              x -> List.of(x.get(0).median(0)),
              f(0)),
          of(
              "take_along_axis: indices must have the tensor's rank: i32[2] for f32[2, 3]; reshape"
                  + " them",
              x -> List.of(x.get(0).takeAlongAxis(x.get(1), 0)),
              f(2, 3),
              I),
          of(
              "select: the condition must be bool of the operands' shape: f32[2] with f32[2] and"
                  + " f32[2]; compare or broadcast first",
              x -> List.of(x.get(0).select(x.get(0), x.get(0))),
              f(2)),
          of(
              "bitcast: both types must have one width: f32[2] to f64; cast first",
              x -> List.of(x.get(0).bitcast(DType.F64)),
              f(2)),
          of(
              "shape: sizes must not be negative: [-2]; correct the size",
              x -> List.of(Tensor.zeros(DType.F32, -2)),
              f(1)),
          of(
              "shape: the number of elements must be below 2^63: [2147483647, 2147483647,"
                  + " 2147483647]; correct a size",
              x ->
                  List.of(
                      Tensor.zeros(
                          DType.F32, Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE)),
              f(1)),
          of(
              "tensor: the number of values must fit the shape: f32[2, 2] needs 4, got 3; correct"
                  + " the shape",
              x -> List.of(Tensor.of(new float[3], 2, 2)),
              f(1)),
          of(
              "tensor: the buffer must have the type's size: f32[2] needs 8 bytes, got 4; slice the"
                  + " buffer",
              x -> List.of(Tensor.of(f(2), Buffer.collected(4))),
              f(1)),
          of(
              "item: the tensor must have one element: f32[2]; reduce or slice it first",
              x -> List.of(Tensor.scalar(DType.F32, Tensor.zeros(DType.F32, 2).item())),
              f(1)),
          of(
              "dtype: the name must be one of f32 f64 f16 bf16 i8 u8 i16 i32 i64 bool: \"float\";"
                  + " correct the name",
              x -> List.of(x.get(0).cast(DType.parse("float"))),
              f(1)),
          of(
              "op table: no op of this name: \"conv9d\"; the graph needs a newer Fragua, or the"
                  + " name is misspelt",
              x -> List.of(Tensor.apply("conv9d", Attrs.NONE, x.get(0))),
              f(1)),
          of(
              "attrs: x must be an int, double, String, DType, Shape, int[] or Body: 1.0; convert"
                  + " it",
              x -> List.of(Tensor.apply("neg", Attrs.of("x", 1f), x.get(0))),
              f(1)));

  @TestFactory
  Stream<DynamicTest> mistakesAreExplained() {
    return Stream.concat(MISTAKES.stream(), MoreMistakes.ALL.stream())
        .map(
            m ->
                DynamicTest.dynamicTest(
                    m.error(),
                    () -> {
                      List<TensorType> types = List.of(m.operands());
                      List<Tensor> zeros = types.stream().map(t -> Tensor.full(t, 0)).toList();
                      assertEquals(m.error(), text(() -> Jit.graph(m.code(), types)), "traced");
                      assertEquals(m.error(), text(() -> m.code().apply(zeros)), "eager");
                    }));
  }

  private static String text(Executable code) {
    return assertThrows(IllegalArgumentException.class, code).getMessage();
  }
}
