#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Guest {
    name: String,
}

#[trunkline::service]
trait Rooms {
    async fn host(&self) -> Guest;
}

fn main() {}

//~ 8:29 `Guest` cannot travel between a service and its clients
//~ 8:29 what travels derives `serde::Serialize`, `serde::Deserialize` and `schemars::JsonSchema`,
