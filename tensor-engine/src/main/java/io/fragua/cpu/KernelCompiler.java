package io.fragua.cpu;

import java.io.IOException;
import java.io.StringReader;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.codehaus.commons.compiler.CompileException;
import org.codehaus.janino.ClassLoaderIClassLoader;
import org.codehaus.janino.IClassLoader;
import org.codehaus.janino.Java;
import org.codehaus.janino.Parser;
import org.codehaus.janino.Scanner;
import org.codehaus.janino.UnitCompiler;
import org.codehaus.janino.util.ClassFile;

/**
 * Compiles generated source with Janino. Classes are kept by source text for the whole process: a
 * computation that was compiled once, for whatever program or shape, is warm in the just-in-time
 * compiler when it is met again.
 */
final class KernelCompiler {
  /** Name of every generated class, each in a loader of its own; JVM options may say it. */
  private static final String CLASS = "FraguaKernel";

  /** How a generated class begins. */
  static final String HEAD = "public final class " + CLASS + " implements io.fragua.cpu.Kernel {\n";

  private static final int LIMIT = 4096;

  private static final Map<String, Kernel> CACHE =
      new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Kernel> e) {
          return size() > LIMIT;
        }
      };

  /** Shared, so that the Vector API's classes are read once and not once a kernel. */
  private static final IClassLoader CLASSES =
      new ClassLoaderIClassLoader(Kernel.class.getClassLoader());

  static {
    if (VectorRuntime.LANES > 0) {
      VectorWarmUp.run(load(VectorWarmUp.text()));
    }
  }

  private KernelCompiler() {}

  static Kernel compile(String source) {
    synchronized (CACHE) {
      Kernel k = CACHE.get(source);
      if (k == null) {
        k = load(source);
        CACHE.put(source, k);
      }
      return k;
    }
  }

  private static Kernel load(String source) {
    try {
      Java.AbstractCompilationUnit unit =
          new Parser(new Scanner("kernel", new StringReader(source)))
              .parseAbstractCompilationUnit();
      UnitCompiler compiler = new UnitCompiler(unit, CLASSES);
      compiler.setTargetVersion(8);
      Map<String, byte[]> classes = new HashMap<>();
      compiler.compileUnit(
          false,
          false,
          false,
          new UnitCompiler.ClassFileConsumer() {
            @Override
            public void consume(ClassFile f) throws IOException {
              classes.put(f.getThisClassName(), f.toByteArray());
            }
          });
      return (Kernel) new Loader(classes).loadClass(CLASS).getDeclaredConstructor().newInstance();
    } catch (CompileException | IOException | ReflectiveOperationException e) {
      throw new IllegalStateException(
          "cpu: generated code must compile: "
              + e.getMessage()
              + "; report this source:\n"
              + source,
          e);
    }
  }

  private static final class Loader extends ClassLoader {
    private final Map<String, byte[]> classes;

    Loader(Map<String, byte[]> classes) {
      super(Kernel.class.getClassLoader());
      this.classes = classes;
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      byte[] b = classes.get(name);
      if (b == null) {
        throw new ClassNotFoundException(name);
      }
      return defineClass(name, b, 0, b.length);
    }
  }
}
