//! What holds for the whole process.

use tapeline_torch_ext::{cpu_kernels, use_deterministic_kernels};
use tch::{Device, Kind, Tensor};

#[test]
fn the_kernels_of_this_machine_have_names() {
    let words = cpu_kernels();
    let (libtorch, ours) = words.split_once(" + ").expect("two names");
    assert!(!libtorch.is_empty() && ["portable", "avx2", "avx512"].contains(&ours), "{words}");
    assert_eq!(cpu_kernels(), words);
}

#[test]
fn deterministic_kernels_can_be_asked_for_where_there_is_no_gpu() {
    use_deterministic_kernels().unwrap();
    let ones = Tensor::ones([3, 4], (Kind::Float, Device::Cpu));
    assert_eq!(ones.matmul(&ones.transpose(0, 1)).double_value(&[2, 2]), 4.0);
    if !tch::Cuda::is_available() {
        println!("skipped: there is no GPU whose kernels could be compared");
        return;
    }
    // Two sums with colliding indices: the kernel that uses atomic additions differs from run to run.
    let indices = Tensor::arange(1 << 16, (Kind::Int64, Device::Cuda(0))).remainder(7);
    let values = Tensor::arange(1 << 16, (Kind::Float, Device::Cuda(0))).sin();
    let sum = || Tensor::zeros([7], (Kind::Float, Device::Cuda(0))).index_add(0, &indices, &values);
    let first = sum();
    for _ in 0..20 {
        assert!(first.equal(&sum()));
    }
}
