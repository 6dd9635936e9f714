package io.fragua.arrow;

import java.util.List;
import java.util.Set;
import org.apache.spark.sql.catalyst.FunctionIdentifier;
import org.apache.spark.sql.catalyst.analysis.FunctionRegistry$;
import org.apache.spark.sql.catalyst.expressions.Attribute;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.expressions.Cast$;
import org.apache.spark.sql.catalyst.expressions.ExprId;
import org.apache.spark.sql.catalyst.expressions.Expression;
import org.apache.spark.sql.catalyst.expressions.GetArrayItem;
import org.apache.spark.sql.catalyst.expressions.GetStructField;
import org.apache.spark.sql.catalyst.expressions.KnownNotNull;
import org.apache.spark.sql.catalyst.expressions.Literal$;
import org.apache.spark.sql.catalyst.expressions.ScalaUDF;
import org.apache.spark.sql.catalyst.expressions.UnwrapUDT;
import org.apache.spark.sql.types.DataTypes;
import scala.Option;
import scala.runtime.AbstractPartialFunction;

/**
 * Reads elements of vectors that are known to be dense straight from their values. Spark's {@code
 * vector_to_array} is a function of objects: it makes a vector and an array of every row, which
 * costs as much as a small network.
 */
final class VectorAccess extends AbstractPartialFunction<Expression, Expression> {
  private static final FunctionIdentifier TO_ARRAY = new FunctionIdentifier("vector_to_array");

  private final Set<ExprId> dense;

  /** For the columns with these identities, whose rows all are dense vectors. */
  VectorAccess(Set<ExprId> dense) {
    this.dense = dense;
  }

  @Override
  public boolean isDefinedAt(Expression e) {
    return isArray(e, "float64")
        || e instanceof GetArrayItem item && isArray(item.child(), "float32");
  }

  @Override
  public Expression apply(Expression e) {
    if (e instanceof ScalaUDF udf) {
      return values(udf);
    }
    GetArrayItem item = (GetArrayItem) e;
    Expression x =
        new GetArrayItem(values((ScalaUDF) item.child()), item.ordinal(), item.failOnError());
    return new Cast(
        x, DataTypes.FloatType, Cast$.MODULE$.apply$default$3(), Cast$.MODULE$.apply$default$4());
  }

  private boolean isArray(Expression e, String type) {
    // A column that an outer join has passed may be null, for which the function has its own error.
    return e instanceof ScalaUDF udf
        && udf.children().size() == 1
        && udf.children().apply(0) instanceof Attribute a
        && dense.contains(a.exprId())
        && !a.nullable()
        && sparks(a, type).function() == udf.function();
  }

  /** Spark's function applied to a column; there is one function object per type in a process. */
  private static ScalaUDF sparks(Attribute a, String type) {
    return (ScalaUDF)
        FunctionRegistry$.MODULE$
            .internal()
            .lookupFunction(
                TO_ARRAY, ScalaLists.<Expression>seq(List.of(a, Literal$.MODULE$.apply(type))));
  }

  private static Expression values(ScalaUDF udf) {
    return new KnownNotNull(
        new GetStructField(
            new UnwrapUDT(udf.children().apply(0)), MlVectors.VALUES, Option.apply("values")));
  }
}
