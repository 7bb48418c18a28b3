#[trunkline::service]
trait Clock {
    async fn now(&self) -> std::time::Instant;
}

fn main() {}

//~ 3:28 `Instant` cannot travel between a service and its clients
//~ 3:28 what travels derives `serde::Serialize`, `serde::Deserialize` and `schemars::JsonSchema`,
