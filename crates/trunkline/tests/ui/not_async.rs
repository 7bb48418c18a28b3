#[trunkline::service]
trait Math {
    fn add(&self, a: i64, b: i64) -> i64;
}

fn main() {}

//~ 3:5 calls take time on the client's side: write `async fn add`
