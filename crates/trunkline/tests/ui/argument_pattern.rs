#[trunkline::service]
trait Math {
    async fn add(&self, (a, b): (i64, i64)) -> i64 {
        a + b
    }
}

fn main() {}
