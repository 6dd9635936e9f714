package io.fragua.cpu;

import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Last pass: where each value lies. Results are written where the caller wants them as soon as they
 * are made, unless that memory still holds an operand somebody reads (a donated one); everything
 * else shares one workspace, a place being used again after its value was last read.
 */
final class Planner {
  private static final int ALIGN = 64;

  /** When a value is read last that the next runs read too. */
  private static final int KEPT = Integer.MAX_VALUE;

  /** When a value is read last that is copied to a result. */
  private static final int END = KEPT - 1;

  private final List<Step> steps;

  /** Steps that run once; what others read of it is kept, in memory of its own. */
  private final int once;

  private final List<Value> inputs;
  private final List<View> outputs;
  private final Map<Integer, Integer> donated;
  private final Map<Value, Integer> lastRead = new IdentityHashMap<>();
  private final Map<Value, Place> places = new IdentityHashMap<>();
  private final Map<Step, Place> scratch = new IdentityHashMap<>();
  private final Set<Step> inPlace = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<FinalCopy> copies = new ArrayList<>();

  private final List<Arena> arenas = new ArrayList<>();
  private final Map<Value, Arena.Held> held = new HashMap<>();
  private final int most = Arena.most();
  private int constantBytes;

  /** A result that could not be written in place, copied from the workspace at the end of a run. */
  record FinalCopy(int output, Place from, int bytes) {}

  /**
   * A part of the workspace.
   *
   * @param kept true if it holds what depends on fixed operands alone
   */
  record Area(int slot, int bytes, boolean kept) {}

  /**
   * Everything the planner decided.
   *
   * @param inPlace steps that write a result over an operand
   * @param areas the workspace: slot 0, and those after the constants
   */
  record Plan(
      Map<Value, Place> places,
      Map<Step, Place> scratch,
      Set<Step> inPlace,
      List<FinalCopy> copies,
      List<Value> constants,
      List<Area> areas,
      int constantBytes) {
    /** Bytes of all areas. */
    long workspaceBytes() {
      return areas.stream().mapToLong(Area::bytes).sum();
    }

    /** Bytes of what depends on fixed operands alone. */
    long keptBytes() {
      return areas.stream().filter(Area::kept).mapToLong(Area::bytes).sum();
    }
  }

  private Planner(
      List<Step> steps,
      int once,
      List<Value> inputs,
      List<View> outputs,
      Map<Integer, Integer> donated) {
    this.steps = steps;
    this.once = once;
    this.inputs = inputs;
    this.outputs = outputs;
    this.donated = donated;
    arenas.add(new Arena(0, most, false));
  }

  static Plan plan(
      List<Step> steps,
      int once,
      List<Value> inputs,
      List<View> outputs,
      Map<Integer, Integer> donated) {
    Plan plan = new Planner(steps, once, inputs, outputs, donated).plan(0);
    if (plan.areas.stream().filter(a -> !a.kept).count() > 1) {
      // Steps look for their scratch memory in slot 0, so its beginning is kept for them.
      long most = steps.stream().mapToLong(Step::scratchBytes).max().orElse(0);
      plan = new Planner(steps, once, inputs, outputs, donated).plan(most);
    }
    return plan;
  }

  /**
   * Decides.
   *
   * @param reserved bytes at the beginning of slot 0 for what each step needs while it runs; 0 to
   *     find a place for each
   */
  private Plan plan(long reserved) {
    if (reserved > 0) {
      allocate(reserved, false);
    }
    for (int i = 0; i < inputs.size(); i++) {
      places.put(inputs.get(i), new Place(1 + i, 0));
    }
    for (int t = 0; t < steps.size(); t++) {
      for (Value v : steps.get(t).reads()) {
        lastRead.put(v, t);
      }
    }
    for (Step s : steps.subList(0, once)) {
      s.writes().stream()
          .filter(v -> lastRead.getOrDefault(v, -1) >= once)
          .forEach(v -> lastRead.put(v, KEPT));
    }
    List<Value> constants = constants();
    outputs();
    for (int t = 0; t < steps.size(); t++) {
      step(t, reserved > 0);
    }
    for (int o = 0; o < outputs.size(); o++) {
      Value v = outputs.get(o).base();
      int beyond = 1 + inputs.size() + outputs.size();
      if (places.containsKey(v) && (places.get(v).slot() == 0 || places.get(v).slot() > beyond)) {
        copies.add(new FinalCopy(o, places.get(v), (int) v.type.byteSize()));
      }
    }
    List<Area> areas = arenas.stream().map(a -> new Area(a.slot(), a.bytes(), a.kept())).toList();
    return new Plan(places, scratch, inPlace, copies, constants, areas, constantBytes);
  }

  private List<Value> constants() {
    Set<Value> seen = new HashSet<>();
    List<Value> out = new ArrayList<>();
    long at = 0;
    for (Step s : steps) {
      for (Value v : s.reads()) {
        if (v.kind == Value.Kind.CONSTANT && seen.add(v)) {
          long end = at + align(v.type.byteSize());
          Check.that(
              end <= Buffer.LARGEST,
              "cpu program: the constants of a program hold at most %d bytes together: at least %d"
                  + " bytes; pass large ones as operands",
              Buffer.LARGEST,
              end);
          places.put(v, new Place(1 + inputs.size() + outputs.size(), (int) at));
          at = end;
          out.add(v);
        }
      }
    }
    constantBytes = (int) at;
    return out;
  }

  private void outputs() {
    Map<Value, Integer> made = new IdentityHashMap<>();
    for (int t = 0; t < steps.size(); t++) {
      for (Value v : steps.get(t).writes()) {
        made.put(v, t);
      }
    }
    for (int o = 0; o < outputs.size(); o++) {
      Value v = outputs.get(o).base();
      if (v.size() == 0) {
        continue;
      }
      int t = made.get(v);
      Integer operand = donated.get(o);
      boolean direct = true;
      if (operand != null) {
        Value in = inputs.get(operand);
        int last = lastRead.getOrDefault(in, -1);
        boolean over = last == t && steps.get(t).inPlace(in, v);
        direct = last < t || over;
        if (over) {
          inPlace.add(steps.get(t));
        }
      }
      if (direct) {
        places.put(v, new Place(1 + inputs.size() + o, 0));
      } else {
        lastRead.put(v, END);
      }
    }
  }

  private void step(int t, boolean reserved) {
    Step s = steps.get(t);
    for (Value v : s.writes()) {
      if (!places.containsKey(v)) {
        boolean kept = lastRead.getOrDefault(v, t) == KEPT;
        Arena.Held reused = kept ? null : takeOver(s, t, v);
        Arena.Held piece = reused != null ? reused : allocate(v.type.byteSize(), kept);
        held.put(v, piece);
        places.put(v, piece.place());
      }
    }
    if (s.scratchBytes() > 0 && !reserved) {
      Arena.Held piece = allocate(s.scratchBytes(), false);
      scratch.put(s, piece.place());
      piece.release();
    }
    List<Value> touched = new ArrayList<>(s.reads());
    touched.addAll(s.writes());
    for (Value v : touched) {
      if (held.containsKey(v) && lastRead.getOrDefault(v, t) <= t) {
        held.remove(v).release();
      }
    }
  }

  /** The place of an operand that dies here and is read element by element just before. */
  private Arena.Held takeOver(Step s, int t, Value v) {
    for (Value r : s.reads()) {
      if (held.containsKey(r) && lastRead.get(r) == t && s.inPlace(r, v)) {
        inPlace.add(s);
        return held.remove(r);
      }
    }
    return null;
  }

  private static long align(long bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
  }

  private Arena.Held allocate(long bytes, boolean kept) {
    for (Arena a : arenas) {
      Arena.Held piece = a.kept() == kept ? a.allocate(bytes) : null;
      if (piece != null) {
        return piece;
      }
    }
    // slots: the first of them, inputs, outputs, constants, and then the others
    Arena more = new Arena(1 + inputs.size() + outputs.size() + arenas.size(), most, kept);
    arenas.add(more);
    Arena.Held piece = more.allocate(bytes);
    if (piece == null) {
      throw new IllegalArgumentException(
          "cpu: a value or what a step needs while it runs holds at most "
              + most
              + " bytes: "
              + bytes
              + " are needed; use smaller batches");
    }
    return piece;
  }
}
