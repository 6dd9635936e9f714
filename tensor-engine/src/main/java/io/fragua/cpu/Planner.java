package io.fragua.cpu;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Last pass: where each value lies. Results are written where the caller wants them as soon as they
 * are made, unless that memory still holds an operand somebody reads (a donated one); everything
 * else shares one workspace, a place being used again after its value was last read.
 */
final class Planner {
  private static final int ALIGN = 64;

  private final List<Step> steps;

  /** Steps that run once; what they write is kept. */
  private final int once;

  private final List<Value> inputs;
  private final List<View> outputs;
  private final Map<Integer, Integer> donated;
  private final Map<Value, Integer> lastRead = new IdentityHashMap<>();
  private final Map<Value, Place> places = new IdentityHashMap<>();
  private final Map<Step, Place> scratch = new IdentityHashMap<>();
  private final Set<Step> inPlace = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<FinalCopy> copies = new ArrayList<>();

  /** Free pieces of the workspace, by offset, with their sizes. */
  private final TreeMap<Integer, Integer> free = new TreeMap<>();

  private final Map<Value, int[]> held = new HashMap<>();
  private long end;
  private int constantBytes;

  /** A result that could not be written in place, copied from the workspace at the end of a run. */
  record FinalCopy(int output, Place from, int bytes) {}

  /**
   * Everything the planner decided.
   *
   * @param inPlace steps that write a result over an operand
   */
  record Plan(
      Map<Value, Place> places,
      Map<Step, Place> scratch,
      Set<Step> inPlace,
      List<FinalCopy> copies,
      List<Value> constants,
      long workspaceBytes,
      int constantBytes) {}

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
  }

  static Plan plan(
      List<Step> steps,
      int once,
      List<Value> inputs,
      List<View> outputs,
      Map<Integer, Integer> donated) {
    return new Planner(steps, once, inputs, outputs, donated).plan();
  }

  private Plan plan() {
    for (int i = 0; i < inputs.size(); i++) {
      places.put(inputs.get(i), new Place(1 + i, 0));
    }
    for (int t = 0; t < steps.size(); t++) {
      for (Value v : steps.get(t).reads()) {
        lastRead.put(v, t);
      }
    }
    for (Step s : steps.subList(0, once)) {
      s.writes().forEach(v -> lastRead.put(v, Integer.MAX_VALUE));
    }
    List<Value> constants = constants();
    outputs();
    for (int t = 0; t < steps.size(); t++) {
      step(t);
    }
    for (int o = 0; o < outputs.size(); o++) {
      Value v = outputs.get(o).base();
      if (places.containsKey(v) && places.get(v).slot() == 0) {
        copies.add(new FinalCopy(o, places.get(v), (int) v.type.byteSize()));
      }
    }
    return new Plan(places, scratch, inPlace, copies, constants, end, constantBytes);
  }

  private List<Value> constants() {
    Set<Value> seen = new HashSet<>();
    List<Value> out = new ArrayList<>();
    long at = 0;
    for (Step s : steps) {
      for (Value v : s.reads()) {
        if (v.kind == Value.Kind.CONSTANT && seen.add(v)) {
          places.put(v, new Place(1 + inputs.size() + outputs.size(), Math.toIntExact(at)));
          at += align(v.type.byteSize());
          out.add(v);
        }
      }
    }
    constantBytes = Math.toIntExact(at);
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
        lastRead.put(v, Integer.MAX_VALUE);
      }
    }
  }

  private void step(int t) {
    Step s = steps.get(t);
    for (Value v : s.writes()) {
      if (!places.containsKey(v)) {
        int[] reused = takeOver(s, t, v);
        int[] piece = reused != null ? reused : allocate(v.type.byteSize());
        held.put(v, piece);
        places.put(v, new Place(0, piece[0]));
      }
    }
    if (s.scratchBytes() > 0) {
      int[] piece = allocate(s.scratchBytes());
      scratch.put(s, new Place(0, piece[0]));
      release(piece);
    }
    List<Value> touched = new ArrayList<>(s.reads());
    touched.addAll(s.writes());
    for (Value v : touched) {
      if (held.containsKey(v) && lastRead.getOrDefault(v, t) <= t) {
        release(held.remove(v));
      }
    }
  }

  /** The place of an operand that dies here and is read element by element just before. */
  private int[] takeOver(Step s, int t, Value v) {
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

  /** First fit. */
  private int[] allocate(long bytes) {
    int need = Math.toIntExact(align(Math.max(1, bytes)));
    for (Map.Entry<Integer, Integer> e : free.entrySet()) {
      if (e.getValue() >= need) {
        int at = e.getKey();
        int size = e.getValue();
        free.remove(at);
        if (size > need) {
          free.put(at + need, size - need);
        }
        return new int[] {at, need};
      }
    }
    Map.Entry<Integer, Integer> last = free.lastEntry();
    int at = (int) end;
    if (last != null && last.getKey() + last.getValue() == end) {
      at = last.getKey();
      free.remove(at);
    }
    end = (long) at + need;
    if (end > Integer.MAX_VALUE - ALIGN) {
      throw new IllegalArgumentException(
          "cpu: a program's workspace holds at most 2147483583 bytes: more are needed; use smaller"
              + " batches");
    }
    return new int[] {at, need};
  }

  private void release(int[] piece) {
    int at = piece[0];
    int size = piece[1];
    Map.Entry<Integer, Integer> before = free.lowerEntry(at);
    if (before != null && before.getKey() + before.getValue() == at) {
      at = before.getKey();
      size += before.getValue();
      free.remove(at);
    }
    Integer after = free.remove(at + size);
    free.put(at, after == null ? size : size + after);
  }
}
