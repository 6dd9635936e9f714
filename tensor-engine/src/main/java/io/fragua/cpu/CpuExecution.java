package io.fragua.cpu;

import io.fragua.exec.Allocator;
import io.fragua.exec.Execution;
import io.fragua.exec.Profile;
import io.fragua.tensor.Buffer;
import io.fragua.tensor.Check;
import io.fragua.tensor.TensorType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import org.bytedeco.javacpp.Pointer;

/** One thread's memory for a {@link CpuProgram}, with every step bound to it. */
final class CpuExecution implements Execution {
  private final CpuProgram program;
  private final Executions executions;
  private final Allocator allocator;
  private final Buffer[] slots;
  private final Object[] memory;
  private final boolean[] owned;
  private final boolean[] changed;
  private final boolean[] todo;
  private final Step.Bound[] steps;

  /** Steps that touch a slot. */
  private final int[][] users;

  private final Planner.FinalCopy[] copies;
  private final int inputs;

  /** The slot of the constants; after it come further parts of a large workspace. */
  private final int constants;

  private final int threads;

  /** The execution that this one is a part of, or null. */
  private final CpuExecution around;

  /** What it shares with other executions, or null. */
  private final BoundProgram bound;

  /** The first step of its own. */
  private final int first;

  private final int piece;

  private Pool pool;
  private boolean anyChanged = true;

  /** True if the steps that run once have to run before the others do. */
  private boolean stale;

  private boolean closed;

  CpuExecution(CpuProgram program, Allocator allocator) {
    this(program, program.executions(), allocator, null, null, null, 0);
  }

  /** Shares fixed operands, and what depends on them alone, with others of the program. */
  CpuExecution(BoundProgram bound, Allocator allocator) {
    this(bound.program(), bound.executions(), allocator, bound, null, null, 0);
  }

  CpuExecution(CpuProgram program, CpuExecution around, Buffer workspace, int piece) {
    this(program, program.executions(), around.allocator, null, around, workspace, piece);
  }

  private CpuExecution(
      CpuProgram program,
      Executions executions,
      Allocator allocator,
      BoundProgram bound,
      CpuExecution around,
      Buffer workspace,
      int piece) {
    this.program = program;
    this.executions = executions;
    this.allocator = allocator;
    this.bound = bound;
    this.around = around;
    first = bound == null ? 0 : program.once();
    stale = bound == null;
    this.piece = piece;
    inputs = program.graph().inputs().size();
    threads = program.options().threads();
    constants = 1 + inputs + program.graph().outputs().size();
    List<Planner.Area> areas = program.plan().areas();
    int n = constants + areas.size();
    slots = new Buffer[n];
    memory = new Object[n];
    owned = new boolean[n];
    changed = new boolean[n];
    steps = new Step.Bound[program.steps().size()];
    todo = new boolean[steps.length];
    users = new int[n][];
    copies = program.plan().copies().toArray(new Planner.FinalCopy[0]);
    try {
      set(constants, program.constants());
      if (bound != null) {
        bound.shared().forEach(this::set);
      }
      int at = 0;
      for (Planner.Area a : areas) {
        if (slots[a.slot()] == null) {
          set(
              a.slot(),
              workspace == null ? allocator.allocate(a.bytes()) : workspace.slice(at, a.bytes()));
          owned[a.slot()] = workspace == null;
          at += a.bytes();
        }
      }
      bindSteps();
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void bindSteps() {
    if (threads > 1) {
      pool = around == null ? new Pool(threads) : around.pool;
    }
    List<List<Integer>> by = new ArrayList<>();
    for (int s = 0; s < slots.length; s++) {
      by.add(new ArrayList<>());
    }
    for (int i = first; i < steps.length; i++) {
      Step s = program.steps().get(i);
      steps[i] = s.bind(this);
      List<Value> all = new ArrayList<>(s.reads());
      all.addAll(s.writes());
      int step = i;
      all.stream().map(v -> place(v).slot()).distinct().forEach(k -> by.get(k).add(step));
    }
    for (int s = 0; s < slots.length; s++) {
      users[s] = by.get(s).stream().mapToInt(i -> i).toArray();
    }
  }

  CpuProgram program() {
    return program;
  }

  /** Which piece of the program it computes. */
  int piece() {
    return piece;
  }

  /** Where a value lies. */
  Place place(Value v) {
    return program.plan().places().get(v);
  }

  /** Where a step's scratch memory lies. */
  Place scratch(Step s) {
    return program.plan().scratch().getOrDefault(s, new Place(0, 0));
  }

  /** Memory of a slot as generated kernels take it. */
  Object memory(int slot) {
    return memory[slot];
  }

  ByteBuffer bytes(int slot) {
    return slots[slot].bytes();
  }

  /** Where a slot's memory begins. */
  long address(int slot) {
    try (Pointer p = new Pointer(slots[slot].bytes())) {
      return p.address();
    }
  }

  /** The memory at a place. */
  Buffer buffer(Place p, long size) {
    return slots[p.slot()].slice(p.offset(), (int) size);
  }

  /** The memory of a value. */
  Buffer buffer(Value v) {
    return buffer(place(v), v.type.byteSize());
  }

  /** A piece of the workspace as generated kernels take it. */
  Object slice(int offset, int size) {
    return Segments.of(slots[0].slice(offset, size).bytes());
  }

  Pool pool() {
    return pool;
  }

  int threads() {
    return threads;
  }

  private void set(int slot, Buffer b) {
    set(slot, new Piece(b));
  }

  private void set(int slot, Piece p) {
    slots[slot] = p.buffer;
    memory[slot] = p.memory;
    changed[slot] = true;
    anyChanged = true;
  }

  /** Memory of one operand or result, in all forms that steps take it in. */
  static final class Piece {
    final Buffer buffer;
    private final Object memory;

    Piece(Buffer buffer) {
      this.buffer = buffer;
      memory = Segments.of(buffer.bytes());
    }
  }

  /** As {@link #bindInput(int, Buffer)}, of a piece of the right size; allocates nothing. */
  void bindInput(int i, Piece p) {
    if (slots[1 + i] != p.buffer) {
      set(1 + i, p);
    }
  }

  /** As {@link #bindOutput(int, Buffer)}, of a piece of the right size; allocates nothing. */
  void bindOutput(int i, Piece p) {
    if (slots[1 + inputs + i] != p.buffer) {
      set(1 + inputs + i, p);
    }
  }

  /** Fixed operands have other elements than at the last run. */
  void stale() {
    stale = true;
  }

  private Buffer own(int slot, TensorType type) {
    checkOpen();
    if (slots[slot] == null) {
      Buffer b = allocator.allocate(type.byteSize());
      owned[slot] = true;
      set(slot, b);
    }
    return slots[slot];
  }

  private void replace(int slot, Buffer b, TensorType type, String name) {
    checkOpen();
    Binding.checkSize(b, type, name);
    if (slots[slot] == b) {
      return;
    }
    if (owned[slot]) {
      allocator.free(slots[slot]);
      owned[slot] = false;
    }
    set(slot, b);
  }

  @Override
  public Buffer input(int i) {
    checkOwn(i);
    return own(1 + i, program.graph().inputs().get(i).type());
  }

  @Override
  public Buffer output(int i) {
    return own(1 + inputs + i, program.graph().type(program.graph().outputs().get(i).value()));
  }

  @Override
  public void bindInput(int i, Buffer buffer) {
    checkOwn(i);
    var in = program.graph().inputs().get(i);
    replace(1 + i, buffer, in.type(), in.name());
  }

  @Override
  public void bindOutput(int i, Buffer buffer) {
    var out = program.graph().outputs().get(i);
    replace(1 + inputs + i, buffer, program.graph().type(out.value()), out.name());
  }

  /** True for an operand that all executions share. */
  private boolean isShared(int i) {
    return bound != null && bound.isFixed(i);
  }

  private void checkOwn(int i) {
    if (isShared(i)) {
      throw Binding.alreadyBound(program.graph(), i);
    }
  }

  /**
   * Computes what depends on fixed operands alone; gives the memory that it lies in, by slot, which
   * is the caller's from now on.
   */
  Map<Integer, Buffer> kept() {
    begin();
    for (int i = 0; i < program.once(); i++) {
      steps[i].run();
    }
    Map<Integer, Buffer> kept = new HashMap<>();
    for (Planner.Area a : program.plan().areas()) {
      if (a.kept()) {
        owned[a.slot()] = false;
        kept.put(a.slot(), slots[a.slot()]);
      }
    }
    return kept;
  }

  /** Forgets the buffers of the caller; they have to be bound anew before the next run. */
  void unbind() {
    for (int s = 1; s < constants; s++) {
      if (!owned[s]) {
        slots[s] = null;
        memory[s] = null;
        for (int i : users[s]) {
          steps[i].unbind();
        }
      }
    }
  }

  @Override
  public void run() {
    begin();
    for (int i = stale ? 0 : program.once(); i < steps.length; i++) {
      steps[i].run();
    }
    stale = false;
    for (Planner.FinalCopy c : copies) {
      copy(c);
    }
  }

  /** The same steps; {@link #run()} does not pay for looking what is complete. */
  @Override
  public void run(IntConsumer complete) {
    Completion c = program.completion();
    int told = 0;
    begin();
    for (int i = stale ? 0 : program.once(); i < steps.length; i++) {
      steps[i].run();
      for (; told < c.count() && c.after(told) <= i; told++) {
        complete.accept(c.result(told));
      }
    }
    stale = false;
    for (Planner.FinalCopy f : copies) {
      copy(f);
    }
    for (; told < c.count(); told++) {
      complete.accept(c.result(told));
    }
  }

  /** As {@link #run()}; the copies at the end are one step more. */
  @Override
  public Profile profile(int runs) {
    Check.that(runs >= 1, "profile: needs at least one run: %d; correct it", runs);
    List<Profile.Step> named = new ArrayList<>();
    for (Step s : program.steps()) {
      boolean inPlace = program.plan().inPlace().contains(s);
      long bytes = s.bytesRead(inPlace) + s.bytesWritten(inPlace);
      named.add(new Profile.Step(s.describe(), bytes, s.flops()));
    }
    long copied = 0;
    for (Planner.FinalCopy c : copies) {
      copied += 2L * c.bytes();
    }
    named.add(new Profile.Step("copies to outputs", copied, 0));
    List<Profile.Event> events = new ArrayList<>();
    long began = System.nanoTime();
    for (int r = 0; r < runs; r++) {
      begin();
      for (int i = stale ? 0 : program.once(); i < steps.length; i++) {
        long t = System.nanoTime();
        steps[i].run();
        events.add(new Profile.Event(i, t - began, System.nanoTime() - t));
      }
      stale = false;
      long t = System.nanoTime();
      for (Planner.FinalCopy c : copies) {
        copy(c);
      }
      if (copies.length > 0) {
        events.add(new Profile.Event(steps.length, t - began, System.nanoTime() - t));
      }
    }
    return new Profile(runs, named, events);
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("execution: must be open: it is closed; make a new one");
    }
  }

  private void begin() {
    checkOpen();
    if (anyChanged) {
      rebind();
    }
  }

  private void copy(Planner.FinalCopy c) {
    ByteBuffer to = slots[1 + inputs + c.output()].bytes();
    int bytes = c.bytes() / program.pieces();
    to.put(piece * bytes, slots[c.from().slot()].bytes(), c.from().offset() + piece * bytes, bytes);
  }

  private void rebind() {
    for (int i = 0; i < inputs; i++) {
      if (!isShared(i)) {
        input(i);
      }
    }
    for (int o = 0; o < program.graph().outputs().size(); o++) {
      output(o);
    }
    for (int s = 0; s < slots.length; s++) {
      if (changed[s]) {
        changed[s] = false;
        for (int i : users[s]) {
          todo[i] = true;
        }
      }
    }
    for (int i = first; i < steps.length; i++) {
      if (todo[i]) {
        todo[i] = false;
        steps[i].rebind();
        stale |= i < program.once();
      }
    }
    anyChanged = false;
  }

  /** Runs the steps one after another, adding the time of each by this clock. */
  void profile(long[] nanos, LongSupplier clock) {
    run();
    for (int i = 0; i < steps.length; i++) {
      long t = clock.getAsLong();
      steps[i].run();
      nanos[i] += clock.getAsLong() - t;
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    for (Step.Bound s : steps) {
      if (s != null) {
        s.close();
      }
    }
    if (pool != null && around == null) {
      pool.close();
    }
    for (int s = 0; s < slots.length; s++) {
      if (owned[s]) {
        allocator.free(slots[s]);
        owned[s] = false;
      }
    }
    executions.end();
  }
}
