/** Shows on a terminal or in a log how far a long job is. */
package io.fragua.pipelines.progress;
