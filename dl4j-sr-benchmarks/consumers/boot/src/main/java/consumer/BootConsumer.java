package consumer;

import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Trains when the application has started. */
@SpringBootApplication
public class BootConsumer implements CommandLineRunner {

    public static void main(String[] arguments) {
        SpringApplication.run(BootConsumer.class, arguments);
    }

    @Override
    public void run(String... arguments) {
        Consumer.main(arguments);
    }
}
