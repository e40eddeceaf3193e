// May we call this person now?   TUTTI_DOOR=http://127.0.0.1:9110 TUTTI_DOOR_TOKEN=... java Ask.java +491701234567
import java.net.URI;
import java.net.http.*;
import java.time.*;
import java.util.UUID;

public class Ask {
    public static void main(String[] arguments) throws Exception {
        String id = System.getenv().getOrDefault("MESSAGE_ID", UUID.randomUUID().toString());
        String request = """
            {"message_id": "%s", "source": "urn:call-centre", "type": "track", "event_name": "Contact Requested",
             "channel": "call_center", "department": "sales", "direction": "outbound", "occurred_at": "%s",
             "identifiers": [{"type": "phone", "value": "%s"}], "contact": {"class": "marketing"}}
            """.formatted(id, Instant.now(), arguments[0]);
        HttpRequest call = HttpRequest.newBuilder(URI.create(System.getenv("TUTTI_DOOR") + "/v1/contact-decisions"))
            .header("Authorization", "Bearer " + System.getenv("TUTTI_DOOR_TOKEN")).timeout(Duration.ofSeconds(3))
            .POST(HttpRequest.BodyPublishers.ofString(request)).build();
        HttpResponse<String> answer = HttpClient.newHttpClient().send(call, HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.body()); // an exception or another status than 200 means no; so does every other verdict
        boolean isGranted = answer.statusCode() == 200 && answer.body().contains("\"verdict\":\"grant\"") && answer.body().contains("\"outcome\":\"open\"");
        System.exit(isGranted ? 0 : 1);
    }
}
