// The call is about to begin: may it still?   TUTTI_DOOR=http://127.0.0.1:9110 TUTTI_DOOR_TOKEN=... java Claim.java REQUEST_ID
import java.net.URI;
import java.net.http.*;
import java.time.Duration;

public class Claim {
    public static void main(String[] arguments) throws Exception {
        HttpRequest call = HttpRequest.newBuilder(URI.create(System.getenv("TUTTI_DOOR") + "/v1/contact-claims"))
            .header("Authorization", "Bearer " + System.getenv("TUTTI_DOOR_TOKEN")).timeout(Duration.ofSeconds(3))
            .POST(HttpRequest.BodyPublishers.ofString("{\"request_id\": \"%s\"}".formatted(arguments[0]))).build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(call, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.body()); // an exception or another status than 200 means no; so does void
        System.exit(answer.statusCode() == 200 && answer.body().contains("\"claim\":\"ok\"") ? 0 : 1);
    }
}
