//! The boundary. Each function here is safe to call with any tensors: the shim catches what libtorch throws.
#![expect(unsafe_code, reason = "calls into the C++ shim; nothing outside this file does")]

use std::ffi::{CStr, c_char, c_int};

use tch::Tensor;
use torch_sys::C_tensor;

use crate::{AdamW, DropoutKey, Error, Sgd};

type Pointer = *mut C_tensor;
type Message = *mut c_char;

unsafe extern "C" {
    fn tapeline_adam_step(
        decoupled_decay: bool,
        count: usize,
        parameters: *const Pointer,
        gradients: *const Pointer,
        first_moments: *const Pointer,
        second_moments: *const Pointer,
        steps: *const Pointer,
        learning_rate: f64,
        beta1: f64,
        beta2: f64,
        weight_decay: f64,
        epsilon: f64,
        skip: *const C_tensor,
    ) -> Message;
    fn tapeline_sgd_step(
        count: usize,
        parameters: *const Pointer,
        gradients: *const Pointer,
        buffer_count: usize,
        buffers: *const Pointer,
        learning_rate: f64,
        momentum: f64,
        nesterov: bool,
        weight_decay: f64,
        skip: *const C_tensor,
    ) -> Message;
    fn tapeline_unscale(
        count: usize,
        gradients: *const Pointer,
        scale: *const C_tensor,
        found_inf: *mut Pointer,
    ) -> Message;
    fn tapeline_update_scale(
        scale: Pointer,
        growth_tracker: Pointer,
        found_inf: *const C_tensor,
        growth: f64,
        backoff: f64,
        growth_interval: i64,
    ) -> Message;
    fn tapeline_enter_autocast(cuda: bool, kind: c_int, cached: bool, before: *mut AutocastState) -> Message;
    fn tapeline_leave_autocast(before: AutocastState);
    fn tapeline_autocast_kind(cuda: bool) -> c_int;
    fn tapeline_allow_tf32(products: bool, convolutions: bool, before: *mut bool) -> Message;
    fn tapeline_gpu_has_bf16(has: *mut bool) -> Message;
    fn tapeline_clip_gradient_norm(
        count: usize,
        gradients: *const Pointer,
        max_norm: f64,
        total_norm: *mut Pointer,
    ) -> Message;
    fn tapeline_conv_block(
        x: *const C_tensor,
        count: usize,
        tensors: *const Pointer,
        dilation: i64,
        mask: *const C_tensor,
        out: *mut Pointer,
    ) -> Message;
    fn tapeline_dropout_mask(
        shape: *const i64,
        dimensions: usize,
        drop_below: u32,
        scale: f32,
        seed: u64,
        layer: u64,
        cursor: u64,
        rank: u64,
        first: u64,
        mask: *mut Pointer,
    ) -> Message;
    fn tapeline_generator_state(cuda_ordinal: i64, state: *mut Pointer) -> Message;
    fn tapeline_set_generator_state(cuda_ordinal: i64, state: *const C_tensor) -> Message;
    fn tapeline_lstm(
        x: *const C_tensor,
        count: usize,
        tensors: *const Pointer,
        from_the_end: c_int,
        out: *mut Pointer,
    ) -> Message;
    fn tapeline_set_threads(intra_op: c_int) -> Message;
    fn tapeline_threads_of_this_thread(threads: c_int) -> c_int;
    fn tapeline_use_deterministic_kernels() -> Message;
    fn tapeline_cpu_kernels() -> Message;
    fn tapeline_keep_freed_memory();
    fn tapeline_free_message(message: Message);
}

/// Where weight decay acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decay {
    /// On the parameter itself: AdamW.
    Parameter,
    /// On the gradient, and through it on the moments: Adam.
    Gradient,
}

impl Decay {
    /// The function of this crate that does it.
    pub(crate) const fn operation(self) -> &'static str {
        match self {
            Self::Parameter => "adamw_step",
            Self::Gradient => "adam_step",
        }
    }
}

/// The lists of one step of Adam or AdamW, all of one length.
pub(crate) struct AdamLists<'a> {
    pub(crate) parameters: &'a [&'a Tensor],
    pub(crate) gradients: &'a [&'a Tensor],
    pub(crate) first_moments: &'a [Tensor],
    pub(crate) second_moments: &'a [Tensor],
    pub(crate) steps: &'a [Tensor],
}

/// What autocast was in a thread before it was changed there.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct AutocastState {
    cuda: bool,
    enabled: bool,
    kind: c_int,
    cached: bool,
}

/// The lists must have one length.
pub(crate) fn adam_step(
    lists: &AdamLists<'_>,
    update: &AdamW,
    decay: Decay,
    skip: Option<&Tensor>,
) -> Result<(), Error> {
    let parameters = pointers(lists.parameters.iter().copied());
    let gradients = pointers(lists.gradients.iter().copied());
    let first_moments = pointers(lists.first_moments);
    let second_moments = pointers(lists.second_moments);
    let steps = pointers(lists.steps);
    let count = parameters.len();
    for list in [&gradients, &first_moments, &second_moments, &steps] {
        assert_eq!(list.len(), count, "the caller checked the lengths");
    }
    // SAFETY: each list holds `count` pointers to tensors that the borrowed lists keep alive during the call.
    let message = unsafe {
        tapeline_adam_step(
            decay == Decay::Parameter,
            count,
            parameters.as_ptr(),
            gradients.as_ptr(),
            first_moments.as_ptr(),
            second_moments.as_ptr(),
            steps.as_ptr(),
            update.learning_rate,
            update.beta1,
            update.beta2,
            update.weight_decay,
            update.epsilon,
            borrowed(skip),
        )
    };
    check(decay.operation(), message)
}

/// The gradients must be as many as the parameters, and so must the buffers unless there is no momentum.
pub(crate) fn sgd_step(
    parameters: &[&Tensor],
    gradients: &[&Tensor],
    buffers: &[Tensor],
    update: &Sgd,
    skip: Option<&Tensor>,
) -> Result<(), Error> {
    assert_eq!(gradients.len(), parameters.len(), "the caller checked the lengths");
    let parameters = pointers(parameters.iter().copied());
    let gradients = pointers(gradients.iter().copied());
    let buffers = pointers(buffers);
    // SAFETY: each list holds as many pointers as it says, to tensors that the borrowed lists keep alive during the call.
    let message = unsafe {
        tapeline_sgd_step(
            parameters.len(),
            parameters.as_ptr(),
            gradients.as_ptr(),
            buffers.len(),
            buffers.as_ptr(),
            update.learning_rate,
            update.momentum,
            update.nesterov,
            update.weight_decay,
            borrowed(skip),
        )
    };
    check("sgd_step", message)
}

pub(crate) fn unscale(gradients: &[&Tensor], scale: &Tensor) -> Result<Tensor, Error> {
    let gradients = pointers(gradients.iter().copied());
    returned("unscale_gradients", |found_inf| {
        // SAFETY: the list holds as many pointers as it says, to tensors that are borrowed during the call.
        unsafe { tapeline_unscale(gradients.len(), gradients.as_ptr(), scale.as_ptr(), found_inf) }
    })
}

pub(crate) fn update_scale(
    scale: &Tensor,
    growth_tracker: &Tensor,
    found_inf: &Tensor,
    [growth, backoff]: [f64; 2],
    growth_interval: i64,
) -> Result<(), Error> {
    let (scale, growth_tracker) = (scale.as_ptr().cast_mut(), growth_tracker.as_ptr().cast_mut());
    // SAFETY: all tensors are borrowed during the call, which changes what they hold and not what they are.
    let message = unsafe {
        tapeline_update_scale(scale, growth_tracker, found_inf.as_ptr(), growth, backoff, growth_interval)
    };
    check("update_loss_scale", message)
}

pub(crate) fn enter_autocast(cuda: bool, kind: c_int, cached: bool) -> Result<AutocastState, Error> {
    let mut before = AutocastState { cuda, enabled: false, kind, cached };
    // SAFETY: the shim writes what was set in this thread to `before`.
    check("Autocast::enter", unsafe { tapeline_enter_autocast(cuda, kind, cached, &raw mut before) })?;
    Ok(before)
}

/// In the thread that entered.
pub(crate) fn leave_autocast(before: AutocastState) {
    // SAFETY: sets what belongs to this thread alone, to what it was.
    unsafe { tapeline_leave_autocast(before) }
}

/// Negative where nothing is cast.
pub(crate) fn autocast_kind(cuda: bool) -> c_int {
    // SAFETY: reads what belongs to this thread alone.
    unsafe { tapeline_autocast_kind(cuda) }
}

/// Of products and of convolutions; what it was before.
pub(crate) fn allow_tf32([products, convolutions]: [bool; 2]) -> Result<[bool; 2], Error> {
    let mut before = [false; 2];
    // SAFETY: reads and sets two flags of libtorch's context; `before` has room for both.
    check("Tf32::allow", unsafe { tapeline_allow_tf32(products, convolutions, before.as_mut_ptr()) })?;
    Ok(before)
}

pub(crate) fn gpu_has_bf16() -> Result<bool, Error> {
    let mut has = false;
    // SAFETY: the shim writes one bool, or returns a message.
    check("gpu_has_bf16", unsafe { tapeline_gpu_has_bf16(&raw mut has) })?;
    Ok(has)
}

pub(crate) fn clip_gradient_norm(gradients: &[&Tensor], max_norm: f64) -> Result<Tensor, Error> {
    let gradients = pointers(gradients.iter().copied());
    returned("clip_gradient_norm", |norm| {
        // SAFETY: the list holds as many pointers as it says, to tensors that are borrowed during the call.
        unsafe { tapeline_clip_gradient_norm(gradients.len(), gradients.as_ptr(), max_norm, norm) }
    })
}

/// `tensors` are those of one block, in the shim's order and of the shapes that [`crate::ConvBlock`] names.
pub(crate) fn conv_block(
    x: &Tensor,
    tensors: &[&Tensor],
    dilation: i64,
    mask: Option<&Tensor>,
) -> Result<Tensor, Error> {
    let tensors = pointers(tensors.iter().copied());
    let mask = borrowed(mask);
    returned("conv_block", |out| {
        // SAFETY: the list holds as many pointers as it says; all tensors are borrowed during the call, and the shim keeps
        // its own references to those that it needs later.
        unsafe { tapeline_conv_block(x.as_ptr(), tensors.len(), tensors.as_ptr(), dilation, mask, out) }
    })
}

/// `tensors` are those of one layer, in the shim's order and of the shapes that [`crate::Lstm`] names.
pub(crate) fn lstm(x: &Tensor, tensors: &[&Tensor], from_the_end: bool) -> Result<Tensor, Error> {
    let tensors = pointers(tensors.iter().copied());
    returned("lstm", |out| {
        // SAFETY: the list holds as many pointers as it says; all tensors are borrowed during the call, and the shim keeps
        // its own references to those that it needs later.
        unsafe { tapeline_lstm(x.as_ptr(), tensors.len(), tensors.as_ptr(), c_int::from(from_the_end), out) }
    })
}

pub(crate) fn dropout_mask(
    shape: &[i64],
    drop_below: u32,
    scale: f32,
    key: DropoutKey,
) -> Result<Tensor, Error> {
    let DropoutKey { seed, layer, cursor, rank, first } = key;
    returned("keyed_dropout", |mask| {
        // SAFETY: `shape` is borrowed during the call and its length is passed with it.
        unsafe {
            tapeline_dropout_mask(
                shape.as_ptr(),
                shape.len(),
                drop_below,
                scale,
                seed,
                layer,
                cursor,
                rank,
                first,
                mask,
            )
        }
    })
}

pub(crate) fn generator_state(cuda_ordinal: i64) -> Result<Tensor, Error> {
    returned("generator_state", |state| {
        // SAFETY: the shim writes one owned tensor to `state`, or returns a message.
        unsafe { tapeline_generator_state(cuda_ordinal, state) }
    })
}

pub(crate) fn set_generator_state(cuda_ordinal: i64, state: &Tensor) -> Result<(), Error> {
    // SAFETY: the tensor is borrowed during the call; the shim copies what it needs.
    check("set_generator_state", unsafe { tapeline_set_generator_state(cuda_ordinal, state.as_ptr()) })
}

/// Returns how many threads an operation that this thread calls could use until now.
pub(crate) fn threads_of_this_thread(threads: c_int) -> c_int {
    // SAFETY: sets a number that belongs to this thread alone.
    unsafe { tapeline_threads_of_this_thread(threads) }
}

pub(crate) fn set_threads(intra_op: c_int) -> Result<(), Error> {
    // SAFETY: takes a number, touches libtorch's thread pools only.
    check("set_threads", unsafe { tapeline_set_threads(intra_op) })
}

pub(crate) fn use_deterministic_kernels() -> Result<(), Error> {
    // SAFETY: sets flags of libtorch's global context, and a variable of the environment through the C library.
    check("use_deterministic_kernels", unsafe { tapeline_use_deterministic_kernels() })
}

pub(crate) fn cpu_kernels() -> String {
    // SAFETY: takes nothing; returns a C string that the shim made.
    taken(unsafe { tapeline_cpu_kernels() })
}

pub(crate) fn keep_freed_memory() {
    // SAFETY: calls mallopt, which is thread-safe, with constants.
    unsafe { tapeline_keep_freed_memory() }
}

fn pointers<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Vec<Pointer> {
    tensors.into_iter().map(|tensor| tensor.as_ptr().cast_mut()).collect()
}

fn borrowed(tensor: Option<&Tensor>) -> *const C_tensor {
    tensor.map_or(std::ptr::null(), Tensor::as_ptr)
}

/// Runs `call` with a place for one tensor and takes ownership of what it put there.
fn returned(operation: &'static str, call: impl FnOnce(*mut Pointer) -> Message) -> Result<Tensor, Error> {
    let mut tensor: Pointer = std::ptr::null_mut();
    check(operation, call(&raw mut tensor))?;
    // SAFETY: without a message the shim has put a tensor made by `new` there, and keeps no pointer to it.
    Ok(unsafe { Tensor::from_ptr(tensor) })
}

fn check(operation: &'static str, message: Message) -> Result<(), Error> {
    if message.is_null() {
        return Ok(());
    }
    Err(Error::Libtorch { operation, message: taken(message) })
}

/// The words of a message, which is given back. Not for null.
fn taken(message: Message) -> String {
    // SAFETY: a message is a C string that the shim made; it is copied before it is given back.
    let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
    // SAFETY: given back once.
    unsafe { tapeline_free_message(message) };
    text
}
