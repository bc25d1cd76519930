"""FINN's own Python steps on a QONNX file, up to hardware layers: `python finn_flow.py model.onnx`, in an environment
that has FINN (the package finn-plus). Prints one line: RESULT and the kinds of node that are left, as JSON.

FINN's build steps themselves import its simulator, which wants Vivado; the transformations that they consist of do not.
"""

import json
import sys


def main() -> None:
    from finn.util.settings import initialize_dummy_settings

    initialize_dummy_settings()
    import finn.transformation.streamline.absorb as absorb
    from finn.transformation.fpgadataflow.convert_to_hw import binary_matrix_vector_activation as binary
    from finn.transformation.fpgadataflow.convert_to_hw import label_select, thresholding
    from finn.transformation.fpgadataflow.convert_to_hw import quantized_matrix_vector_activation as quantized
    from finn.transformation.qonnx.convert_qonnx_to_finn import ConvertQONNXtoFINN
    from finn.transformation.streamline import Streamline
    from qonnx.core.modelwrapper import ModelWrapper
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

    model = cleanup_model(ModelWrapper(sys.argv[1]))
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
    for step in (
        binary.InferBinaryMatrixVectorActivation,
        quantized.InferQuantizedMatrixVectorActivation,
        label_select.InferLabelSelectLayer,
        thresholding.InferThresholdingLayer,
    ):
        model = model.transform(step())
    kinds = [(node.op_type, node.domain) for node in model.transform(GiveUniqueNodeNames()).graph.node]
    print("RESULT " + json.dumps({"streamlined": streamlined, "kinds": kinds}))


if __name__ == "__main__":
    main()
