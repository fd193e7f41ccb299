package org.dl4jsr.backend.unified;

import org.dl4jsr.backend.AlignedWorkspaceManager;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.LocationPolicy;

/** ND4J's workspaces, but {@link UnifiedWorkspace}. ND4J creates it by name. */
public final class UnifiedWorkspaceManager extends AlignedWorkspaceManager {

    @Override
    protected MemoryWorkspace create(WorkspaceConfiguration configuration, String id, int device) {
        if (configuration.getPolicyLocation() == LocationPolicy.MMAP) {
            throw new UnsupportedOperationException(
                    "Workspace " + id + " lies in a mapped file, which a GPU does not share:"
                            + " set LocationPolicy.RAM, or -Dorg.dl4jsr.device=cpu");
        }
        return new UnifiedWorkspace(configuration, id, device);
    }
}
