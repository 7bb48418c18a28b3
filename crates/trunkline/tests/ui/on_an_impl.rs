struct MyMath;

#[trunkline::service]
impl MyMath {
    async fn add(&self, a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() {}
