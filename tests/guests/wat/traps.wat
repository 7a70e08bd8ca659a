;; One trap for each number. Any other number answers.
(component
  (core module $case
    (memory 1)
    (table 2 funcref)
    (elem (i32.const 0) $other)
    (type $nothing (func))
    (func $other (param i32))
    (func (export "run") (param $n i32) (result i32)
      (if (i32.eq (local.get $n) (i32.const 1)) (then (unreachable)))
      (if (i32.eq (local.get $n) (i32.const 2))
        (then (drop (i32.div_s (i32.const 1) (i32.const 0)))))
      (if (i32.eq (local.get $n) (i32.const 3))
        (then (drop (i32.load (i32.const 65536)))))
      (if (i32.eq (local.get $n) (i32.const 4))
        (then (call_indirect (type $nothing) (i32.const 0))))
      (if (i32.eq (local.get $n) (i32.const 5))
        (then (call_indirect (type $nothing) (i32.const 1))))
      (if (i32.eq (local.get $n) (i32.const 6))
        (then (drop (i32.trunc_f32_s (f32.const nan)))))
      (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
