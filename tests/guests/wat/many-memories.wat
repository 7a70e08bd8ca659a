;; Three memories that start with 30 MiB each: each one is allowed, their sum is not.
(component
  (core module $holder (memory 480))
  (core instance (instantiate $holder))
  (core instance (instantiate $holder))
  (core instance (instantiate $holder))
  (core module $case (func (export "run") (param i32) (result i32) (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
