import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;

/** What Avro's Java library says: a line `{"reader": …, "writer": …}` in, a line with its verdict out. */
class CompatibilityOracle {
  public static void main(String[] args) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode pair = mapper.readTree(line);
      ObjectNode answer = mapper.createObjectNode();
      try {
        Schema reader = new Schema.Parser().parse(pair.get("reader").toString());
        Schema writer = new Schema.Parser().parse(pair.get("writer").toString());
        judge(reader, writer, answer);
      } catch (RuntimeException error) {
        answer.put("error", String.valueOf(error.getMessage()));
      }
      out.println(answer);
    }
    out.flush();
  }

  private static void judge(Schema reader, Schema writer, ObjectNode answer) {
    var result = SchemaCompatibility.checkReaderWriterCompatibility(reader, writer).getResult();
    answer.put(
        "compatible",
        result.getCompatibility() == SchemaCompatibility.SchemaCompatibilityType.COMPATIBLE);
    var found = answer.putArray("incompatibilities");
    for (var one : result.getIncompatibilities())
      found.addObject().put("kind", one.getType().name()).put("location", one.getLocation());
  }
}
