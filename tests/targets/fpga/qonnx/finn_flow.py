"""FINN's own Python steps on a QONNX file, up to folded hardware layers, in an environment that has FINN (finn-plus):

    python finn_flow.py model.onnx folding.json part merged|standalone

The last word says whether thresholds become part of matrix units. Prints one line: RESULT and, as JSON, the kinds of
node that are left, every unit with its folds and FINN's own estimate of its clocks, and which names of the folding
configuration FINN did not find, or missed.

FINN's build steps themselves import its simulator, which wants Vivado; the transformations that they consist of do not.
"""

import json
import sys


def main() -> None:
    from finn.util.settings import initialize_dummy_settings

    initialize_dummy_settings()
    import finn.transformation.streamline.absorb as absorb
    from finn.transformation.fpgadataflow.annotate_cycles import AnnotateCycles
    from finn.transformation.fpgadataflow.convert_to_hw import binary_matrix_vector_activation as binary
    from finn.transformation.fpgadataflow.convert_to_hw import label_select, thresholding
    from finn.transformation.fpgadataflow.convert_to_hw import quantized_matrix_vector_activation as quantized
    from finn.transformation.fpgadataflow.specialize_layers import SpecializeLayers
    from finn.transformation.general import ApplyConfig
    from finn.transformation.qonnx.convert_qonnx_to_finn import ConvertQONNXtoFINN
    from finn.transformation.streamline import Streamline
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.custom_op.registry import getCustomOp
    from qonnx.transformation.bipolar_to_xnor import ConvertBipolarMatMulToXnorPopcount
    from qonnx.transformation.fold_constants import FoldConstants
    from qonnx.transformation.general import (
        GiveReadableTensorNames,
        GiveUniqueNodeNames,
        RemoveStaticGraphInputs,
        RemoveUnusedTensors,
    )
    from qonnx.transformation.infer_data_layouts import InferDataLayouts
    from qonnx.transformation.infer_datatypes import InferDataTypes
    from qonnx.transformation.infer_shapes import InferShapes
    from qonnx.util.cleanup import cleanup_model

    path, folding, part, thresholds = sys.argv[1:]
    model = cleanup_model(ModelWrapper(path))
    for node in model.get_nodes_by_op_type("Quant"):
        # Scalars may have come out of the clean-up as vectors of one, which newer numpy does not take for a number.
        model.set_initializer(node.input[3], model.get_initializer(node.input[3]).reshape(()))
    model = model.transform(ConvertQONNXtoFINN())
    tidy_up = (InferShapes, FoldConstants, GiveUniqueNodeNames, GiveReadableTensorNames, InferDataTypes)
    streamline = (
        RemoveStaticGraphInputs,
        absorb.AbsorbScalarBiasIntoMultiThreshold,
        Streamline,
        ConvertBipolarMatMulToXnorPopcount,
        Streamline,
        absorb.AbsorbScalarMulAddIntoTopK,
        InferDataLayouts,
        RemoveUnusedTensors,
    )
    for step in (*tidy_up, *streamline):
        model = model.transform(step())
    streamlined = [node.op_type for node in model.graph.node]
    to_hardware = [
        binary.InferBinaryMatrixVectorActivation,
        quantized.InferQuantizedMatrixVectorActivation,
        label_select.InferLabelSelectLayer,
    ]
    # FINN's step does thresholds first where they are to stand alone; else the matrix units have taken them by then.
    to_hardware.insert(0 if thresholds == "standalone" else len(to_hardware), thresholding.InferThresholdingLayer)
    for step in to_hardware:
        model = model.transform(step())
    kinds = [(node.op_type, node.domain) for node in model.transform(GiveUniqueNodeNames()).graph.node]
    model = model.transform(SpecializeLayers(part)).transform(GiveUniqueNodeNames())
    apply = ApplyConfig(folding)
    model = model.transform(apply, make_deepcopy=False).transform(AnnotateCycles())
    units = []
    for node in model.graph.node:
        unit = getCustomOp(node)
        folds = {name: unit.get_nodeattr(name) for name in ("PE", "SIMD") if name in unit.get_nodeattr_types()}
        # These raise where a fold does not divide what it folds.
        unit.get_folded_input_shape()
        unit.get_folded_output_shape()
        units.append((node.name, folds, unit.get_nodeattr("cycles_estimate")))
    with open(folding) as file:
        unused = sorted(set(json.load(file)) - set(apply.used_configurations))
    result = {"streamlined": streamlined, "kinds": kinds, "units": units}
    print("RESULT " + json.dumps({**result, "unused": unused, "missing": apply.missing_configurations}))


if __name__ == "__main__":
    main()
