;; One module with two memories: a proposal that the host leaves off.
(component
  (core module $case
    (memory 1)
    (memory 1)
    (func (export "run") (param i32) (result i32) (i32.const 0)))
  (core instance $case (instantiate $case))
  ;; include plugin.part
)
