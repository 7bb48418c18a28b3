#[trunkline::service]
trait Clock {
    async fn now(&self) -> std::time::Instant;
}

fn main() {}
