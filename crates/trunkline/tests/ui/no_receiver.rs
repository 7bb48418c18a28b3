#[trunkline::service]
trait Math {
    async fn add(a: i64, b: i64) -> i64;
}

fn main() {}

//~ 3:14 a method is called on the service: begin with `&self`, `async fn add(&self, …)`
